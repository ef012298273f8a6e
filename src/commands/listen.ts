import { messageOf, SerinError } from "../core/mod.ts";

/** A server that listens. */
export interface Listening {
  /** With the port that it got. */
  readonly url: string;
  /** Accepts nobody any more, and waits for running requests, up to the grace. */
  close(): Promise<void>;
}

/** Where to listen, and how to end. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** How long running requests may take when it is closed, milliseconds; default 2000. */
  readonly graceMs?: number;
  /** Called when some took longer: they end with the process. */
  readonly onCutOff?: () => void;
}

const GRACE_MS = 2000;

/** @throws {SerinError} `address_in_use`, `configuration` */
export function listenOn(
  { host, port, graceMs = GRACE_MS, onCutOff }: ListenOptions,
  handler: (request: Request) => Response | Promise<Response>,
): Listening {
  let server: Deno.HttpServer;
  try {
    server = Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request) => handler(request),
    );
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
      // Aborting a server that is being shut down throws where nobody can catch it (Deno 2.6).
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), graceMs);
      });
      if (await Promise.race([server.shutdown(), late]) === "late") onCutOff?.();
      clearTimeout(timer);
    },
  };
}
