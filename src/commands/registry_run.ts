import type { CommandContext } from "../cli/mod.ts";
import { Lifecycle, type Log, messageOf, SerinError } from "../core/mod.ts";
import { listenOn } from "./listen.ts";
import type { RegistryAppOptions } from "./registry_app.ts";
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
    const { host, port, graceSeconds } = options;
    const onCutOff = () => log.warn("requests were cut off after the grace", { graceSeconds });
    const where = { host, port, graceMs: graceSeconds * 1000, onCutOff };
    const server = listenOn(where, (request) => registry.app.fetch(request));
    lifecycle.onStop("server", () => server.close());
    log.info(`serin registry listening on ${server.url}`);
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
