import { messageOf, SerinError } from "../core/mod.ts";

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
