import { DATA_ISOLATE_PERMISSIONS } from "../../src/serving/mod.ts";
import type { Attempts } from "./attempts.ts";

/** @returns what a Worker could do that was started as `src/serving/isolate_pool.ts` starts its own */
export async function isolateAttempts(folder: string): Promise<Attempts> {
  const worker = new Worker(new URL("./probe_isolate.ts", import.meta.url), {
    type: "module",
    deno: { permissions: DATA_ISOLATE_PERMISSIONS },
  });
  const answer = Promise.withResolvers<Attempts>();
  worker.onmessage = ({ data }) => answer.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    answer.reject(new Error(event.message));
  };
  worker.postMessage(folder);
  try {
    return await answer.promise;
  } finally {
    worker.terminate();
  }
}
