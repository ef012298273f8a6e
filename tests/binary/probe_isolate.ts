/** A Worker with a data isolate's permissions: tries what it must not be able to do. */
import { type Attempts, tryAll } from "./attempts.ts";

const scope = self as unknown as {
  postMessage(results: Attempts): void;
  onmessage: ((event: MessageEvent<string>) => void) | null;
};
scope.onmessage = async ({ data: folder }) => scope.postMessage(await tryAll(folder));
