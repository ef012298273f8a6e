import type { CommandContext } from "../cli/mod.ts";
import { messageOf, SerinError, silentLog } from "../core/mod.ts";

/** What a command's isolate answers. */
export type IsolateAnswer<T> = { readonly ok: T } | {
  readonly error: {
    readonly code: SerinError["code"];
    readonly message: string;
    readonly hint: string | undefined;
  };
};

/** @returns an error as it may be posted */
export function toIsolateError(thrown: unknown): IsolateAnswer<never> {
  if (thrown instanceof SerinError) {
    const { code, message, hint } = thrown;
    return { error: { code, message, hint } };
  }
  return { error: { code: "internal", message: messageOf(thrown), hint: undefined } };
}

/**
 * In a Worker: runs a command for each message that holds its options, and posts its JSON document, or
 * why it failed.
 */
export function answerCalls<O extends object>(
  run: (options: O & { json: true }, context: CommandContext) => Promise<unknown>,
): void {
  const scope = self as unknown as {
    postMessage(message: unknown): void;
    onmessage: ((event: MessageEvent<O>) => void) | null;
  };
  scope.onmessage = async ({ data }) => {
    try {
      const lines: string[] = [];
      const print = (line: string) => void lines.push(line);
      const context = { log: silentLog, positionals: [], interactive: false, print };
      await run({ ...data, json: true }, context);
      scope.postMessage({ ok: JSON.parse(lines.join("\n")) });
    } catch (thrown) {
      scope.postMessage(toIsolateError(thrown));
    }
  };
}

/**
 * Posts one request to a Worker and waits for its answer.
 *
 * @throws {SerinError} what the isolate said, or `internal` when it died
 */
export function callIsolate<T>(worker: Worker, request: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new SerinError("internal", `The isolate failed: ${event.message}`));
    };
    worker.onmessage = ({ data }: MessageEvent<IsolateAnswer<T>>) => {
      if ("ok" in data) resolve(data.ok);
      else reject(new SerinError(data.error.code, data.error.message, { hint: data.error.hint }));
    };
    worker.postMessage(request);
  });
}
