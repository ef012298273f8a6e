import { messageOf, SerinError } from "../core/mod.ts";

/** A server that listens. */
export interface Listening {
  /** With the port that it got. */
  readonly url: string;
  /** Lets running requests end for a moment, then cuts them off. */
  close(): Promise<void>;
}

const GRACE_MS = 2000;

/** @throws {SerinError} `address_in_use`, `configuration` */
export function listenOn(
  { host, port }: { readonly host: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): Listening {
  const ending = new AbortController();
  let server: Deno.HttpServer;
  try {
    const options = { hostname: host, port, onListen: () => {}, signal: ending.signal };
    server = Deno.serve(options, (request) => handler(request));
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new SerinError("address_in_use", `Cannot listen on ${host}:${port}: it is in use`, {
        hint: `stop the process that uses port ${port}, or choose another with --port (0 for any)`,
        cause,
      });
    }
    throw new SerinError("configuration", `Cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      hint: "choose an address of this machine with --host",
      cause,
    });
  }
  const { hostname, port: got } = server.addr as Deno.NetAddr;
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${got}`,
    async close() {
      const timer = setTimeout(() => ending.abort(), GRACE_MS);
      await server.shutdown();
      clearTimeout(timer);
    },
  };
}
