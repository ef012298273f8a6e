/**
 * `serin train` in an isolate of its own, for `serin demo`: training takes a core for a second, and
 * live requests must not wait for it.
 */
import { silentLog } from "../core/mod.ts";
import { toIsolateError } from "./isolate_call.ts";
import { run, type TrainOptions } from "./train_run.ts";

const scope = self as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<TrainOptions>) => void) | null;
};

scope.onmessage = async ({ data }) => {
  try {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    await run({ ...data, json: true }, {
      log: silentLog,
      positionals: [],
      interactive: false,
      print,
    });
    scope.postMessage({ ok: JSON.parse(lines.join("\n")) });
  } catch (thrown) {
    scope.postMessage(toIsolateError(thrown));
  }
};
