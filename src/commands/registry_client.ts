import { type ControlClient, createControlClient } from "../control/mod.ts";
import { type Clock, type Log, messageOf, SerinError } from "../core/mod.ts";
import { createMlflowClient, type MlflowClient } from "../mlflow/mod.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

const REACHABLE_RETRY_MS = 250;

/** What every command that has `--registry` says of its access. */
export interface RegistryAccess {
  /** `--registry-token-file`. */
  readonly registryTokenFile?: string | undefined;
  /** Of the environment; a file goes before it. */
  readonly registryToken?: string | undefined;
  /** Sent with every request, e.g. through a proxy. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A registry as a command reaches it. */
export interface RegistryConnection {
  /** MLflow's API. */
  readonly client: MlflowClient;
  /** serin's own API; a plain MLflow server has none. */
  readonly control: ControlClient;
  readonly token: string | undefined;
}

/**
 * Opens the clients of `--registry URL` with the token of a file or of the environment.
 *
 * @throws {SerinError} `configuration` for an address that is no URL, or a token that cannot be read,
 *   is empty, or cannot be sent
 */
export async function openRegistryClient(
  baseUrl: string,
  access: RegistryAccess,
): Promise<RegistryConnection> {
  const token = await readRegistryToken(access);
  const { headers, fetch = globalThis.fetch } = access;
  const options = { baseUrl, fetch, token, headers };
  return { client: createMlflowClient(options), control: createControlClient(options), token };
}

/** How {@linkcode waitUntilReachable} waits. */
export interface ReachableOptions {
  readonly secondsMax: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Waits for a server that is just being started, as the one of a script or of a cluster is: while it
 * accepts no connections. Any answer will do, an error's too.
 *
 * @throws {SerinError} `unavailable` when it stayed out of reach
 */
export async function waitUntilReachable(
  baseUrl: string,
  { secondsMax, clock, log, fetch }: ReachableOptions,
): Promise<void> {
  const deadline = clock.monotonic() + secondsMax * 1000;
  for (let attempt = 0;; attempt++) {
    try {
      const answer = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(5000) });
      await answer.body?.cancel();
      return;
    } catch (cause) {
      if (clock.monotonic() >= deadline) {
        throw new SerinError("unavailable", `Cannot reach ${baseUrl}: ${messageOf(cause)}`, {
          hint: "check that the server runs and that the address is right",
          cause,
        });
      }
    }
    if (attempt === 0) log.info(`waiting for ${baseUrl}, ${secondsMax} s at most`);
    await new Promise((done) => setTimeout(done, REACHABLE_RETRY_MS));
  }
}

/**
 * @returns the token of the file, else of the environment; undefined where neither is given
 * @throws {SerinError} `configuration` as {@linkcode openRegistryClient}
 */
export async function readRegistryToken(access: RegistryAccess): Promise<string | undefined> {
  const { registryTokenFile: path, registryToken } = access;
  if (path !== undefined) return await readTokenFile(path, "--registry-token-file");
  if (registryToken === undefined) return undefined;
  return checkToken("SERIN_REGISTRY_TOKEN or MLFLOW_TRACKING_TOKEN", registryToken);
}
