import type { CommandContext } from "../cli/mod.ts";
import { Lifecycle, type Log, messageOf, SerinError } from "../core/mod.ts";
import type { RegistryApp, RegistryAppOptions } from "./registry_app.ts";
import { openRegistryServer } from "./registry_server.ts";
import { openAccessTokens, readTokens } from "./registry_tokens.ts";

/** The options of `serin registry`. */
export interface RegistryOptions {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly defaultArtifactRoot: string;
  readonly artifactsDestination?: string | undefined;
  readonly sourcePattern?: string | undefined;
  readonly adminTokenFile?: string | undefined;
  readonly adminToken?: string | undefined;
  readonly replicaTokenFile?: string | undefined;
  readonly replicaToken?: string | undefined;
  readonly graceSeconds: number;
}

/** Serves until SIGTERM or SIGINT. */
export async function run(options: RegistryOptions, context: CommandContext): Promise<void> {
  const { log } = context;
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const configured = await readTokens(options);
  const openTokens = () => openAccessTokens(configured, options, log);
  const registry = await openRegistryServer({ ...toAppOptions(options, log), openTokens });
  lifecycle.onStop("database", () => registry.close());
  try {
    const server = listen(registry, options);
    lifecycle.onStop("server", () => stopWithin(server, options.graceSeconds, log));
    const { hostname, port } = server.addr as Deno.NetAddr;
    const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
    log.info(`serin registry listening on http://${shown}:${port}`);
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
  await lifecycle.stopped;
}

function toAppOptions(options: RegistryOptions, log: Log): RegistryAppOptions {
  return {
    dataFolder: options.data,
    log,
    defaultArtifactRoot: options.defaultArtifactRoot,
    ...(options.artifactsDestination === undefined
      ? {}
      : { artifactsDestination: options.artifactsDestination }),
    ...(options.sourcePattern === undefined
      ? {}
      : { sourcePattern: parsePattern(options.sourcePattern) }),
  };
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new SerinError("configuration", `--source-pattern is no regular expression: ${text}`, {
      hint: messageOf(cause),
      cause,
    });
  }
}

function listen(registry: RegistryApp, { host, port }: RegistryOptions): Deno.HttpServer {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, registry.app.fetch);
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new SerinError("address_in_use", `Cannot listen on ${host}:${port}: it is in use`, {
        hint: `stop the process that uses port ${port}, or choose another with --port (0 for any)`,
        cause,
      });
    }
    throw new SerinError(
      "configuration",
      `Cannot listen on ${host}:${port}: ${messageOf(cause)}`,
      { hint: "choose an address of this machine with --host", cause },
    );
  }
}

/** Lets running requests end; after the grace they are cut off. */
async function stopWithin(server: Deno.HttpServer, graceSeconds: number, log: Log): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), graceSeconds * 1000);
  });
  const ended = await Promise.race([server.shutdown(), late]);
  clearTimeout(timer);
  if (ended === "late") log.warn("requests were cut off after the grace", { graceSeconds });
}
