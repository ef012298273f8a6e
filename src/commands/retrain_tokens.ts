import { AccessTokens } from "../api/access/mod.ts";
import type { RetrainRole } from "../api/retrain/mod.ts";
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
  readonly webhookTokenFile?: string | undefined;
  readonly webhookToken?: string | undefined;
}

/** Where each role's token comes from. */
const SOURCES: Readonly<Record<RetrainRole, { flag: string; variable: string }>> = {
  admin: { flag: "--token-file", variable: "SERIN_RETRAIN_TOKEN" },
  replica: { flag: "--replica-token-file", variable: "SERIN_RETRAIN_REPLICA_TOKEN" },
  webhook: { flag: "--webhook-token-file", variable: "SERIN_RETRAIN_WEBHOOK_TOKEN" },
};

/** A token, and the option or the variable that gave it. */
interface GivenToken {
  readonly role: RetrainRole;
  readonly token: string;
  readonly source: string;
}

/**
 * Reads the tokens of files and environment; a file goes before the environment.
 *
 * @returns undefined where none is given and only this machine reaches the port
 * @throws {SerinError} `configuration` for one that cannot be read or is no token; for none where others
 *   reach the port; for the same one of two roles; for a narrow one without an admin's
 */
export async function readRetrainTokens(
  options: RetrainTokenOptions,
): Promise<AccessTokens<RetrainRole> | undefined> {
  const { host } = options;
  const given = [
    await readOne("admin", options.tokenFile, options.token),
    await readOne("replica", options.replicaTokenFile, options.replicaToken),
    await readOne("webhook", options.webhookTokenFile, options.webhookToken),
  ].filter((one) => one !== undefined);
  checkDistinct(given);
  const tokenOf = (wanted: RetrainRole) => given.find(({ role }) => role === wanted)?.token;
  const admin = tokenOf("admin");
  if (admin !== undefined) {
    return new AccessTokens<RetrainRole>({
      ...{ admin, replica: tokenOf("replica"), webhook: tokenOf("webhook") },
    });
  }
  if (given.length > 0) {
    const [{ role }] = given;
    throw new SerinError("configuration", `A ${role} token is given and no admin token`, {
      hint: "nobody could ask for anything else: give --token-file or SERIN_RETRAIN_TOKEN too",
    });
  }
  if (isLoopback(host)) return undefined;
  throw new SerinError("configuration", `Others reach --host ${host}, and no token is given`, {
    hint: "give --token-file or SERIN_RETRAIN_TOKEN, and --webhook-token-file for Alertmanager, " +
      "which sends it with http_config: {authorization: {credentials_file: FILE}}",
  });
}

async function readOne(
  role: RetrainRole,
  file: string | undefined,
  value: string | undefined,
): Promise<GivenToken | undefined> {
  const { flag, variable } = SOURCES[role];
  if (file !== undefined) {
    return { role, token: await readTokenFile(file, flag), source: flag };
  }
  if (value === undefined) return undefined;
  return { role, token: checkToken(variable, value), source: variable };
}

function checkDistinct(given: readonly GivenToken[]): void {
  for (const [i, one] of given.entries()) {
    const other = given.slice(i + 1).find(({ token }) => token === one.token);
    if (other === undefined) continue;
    const roles = `${one.role} and ${other.role}`, sources = `${one.source} and ${other.source}`;
    throw new SerinError("configuration", `The roles ${roles} have the same token (${sources})`, {
      hint: `a token of its own is there to be narrower: give the ${other.role} another, or none`,
    });
  }
}
