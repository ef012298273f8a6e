import { AccessTokens } from "../api/access/mod.ts";
import { SerinError } from "../core/mod.ts";
import { isLoopback } from "./registry_tokens.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

/** What `serin retrain serve` says about tokens. */
export interface RetrainTokenOptions {
  readonly host: string;
  readonly tokenFile?: string | undefined;
  readonly token?: string | undefined;
  readonly replicaTokenFile?: string | undefined;
  readonly replicaToken?: string | undefined;
}

/**
 * Reads the tokens of files and environment; a file goes before the environment.
 *
 * @returns undefined where none is given and only this machine reaches the port
 * @throws {SerinError} `configuration` for one that cannot be read or is no token; for none where others
 *   reach the port; for the same one twice; for a replica's without an admin's
 */
export async function readRetrainTokens(
  options: RetrainTokenOptions,
): Promise<AccessTokens | undefined> {
  const { host } = options;
  const admin = await readOne("", options.tokenFile, options.token);
  const replica = await readOne("replica-", options.replicaTokenFile, options.replicaToken);
  if (admin !== undefined && admin !== replica) return new AccessTokens({ admin, replica });
  if (admin !== undefined) {
    const where = "--token-file and --replica-token-file";
    throw new SerinError("configuration", `Admin and replica have the same token (${where})`, {
      hint: "a replica's token is there to be narrower: give it another one, or none",
    });
  }
  if (replica !== undefined) {
    throw new SerinError("configuration", "A replica token is given and no admin token", {
      hint: "nobody could ask for anything else: give --token-file or SERIN_RETRAIN_TOKEN too",
    });
  }
  if (isLoopback(host)) return undefined;
  throw new SerinError("configuration", `Others reach --host ${host}, and no token is given`, {
    hint: "give --token-file or SERIN_RETRAIN_TOKEN; Alertmanager sends it with http_config: " +
      "{authorization: {credentials_file: FILE}}",
  });
}

async function readOne(
  role: "" | "replica-",
  file: string | undefined,
  value: string | undefined,
): Promise<string | undefined> {
  if (file !== undefined) return await readTokenFile(file, `--${role}token-file`);
  if (value === undefined) return undefined;
  const variable = role === "" ? "SERIN_RETRAIN_TOKEN" : "SERIN_RETRAIN_REPLICA_TOKEN";
  return checkToken(variable, value);
}
