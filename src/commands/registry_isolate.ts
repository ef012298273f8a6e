/**
 * The registry in an isolate of its own, for `serin demo`: the same server as `serin registry`, over
 * real HTTP, on a free port of this machine.
 */
import { openLog } from "../core/mod.ts";
import { toIsolateError } from "./isolate_call.ts";
import { openRegistryServer } from "./registry_server.ts";

const scope = self as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<{ dataFolder: string }>) => void) | null;
};

scope.onmessage = async ({ data }) => {
  try {
    const log = openLog({ level: "warn" });
    const registry = await openRegistryServer({ dataFolder: data.dataFolder, log });
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    const server = Deno.serve(options, registry.app.fetch);
    scope.postMessage({ ok: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}` });
  } catch (thrown) {
    scope.postMessage(toIsolateError(thrown));
  }
};
