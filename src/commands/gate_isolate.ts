/**
 * `serin gate` in an isolate of its own, for retraining: the models run for seconds, and webhooks must
 * not wait for them.
 */
import { silentLog } from "../core/mod.ts";
import { type GateOptions, run } from "./gate_run.ts";
import { toIsolateError } from "./isolate_call.ts";

const scope = self as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<GateOptions>) => void) | null;
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
