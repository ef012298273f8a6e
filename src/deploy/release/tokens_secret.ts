import { messageOf, type Random, SerinError } from "../../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../../kubernetes/mod.ts";
import { NAMES, type TokenKey } from "../manifests/names.ts";
import { mountedSecretKeys } from "./mounted_config.ts";
import { textsAt } from "./object_fields.ts";

/** The Secret that serin's pods read their tokens from. */
export const TOKENS_NAME = NAMES.tokens;

/** Keys that it has in every installation. */
const KEYS: readonly TokenKey[] = ["admin-token", "replica-token"];

/** Keys that it may lack: an older serin made it, or a person, who had no use for them. */
const ADDED_KEYS: readonly TokenKey[] = ["webhook-token"];

const TOKEN_BYTES = 32;

/** What an apply does to the Secret: it makes it, adds keys, or leaves it alone. */
export interface TokensPlan {
  readonly action: "create" | "change" | "unchanged";
  /** What is made. */
  readonly keys: readonly TokenKey[];
}

/** Where the Secret is, and what is applied beside it. */
export interface TokensRequest {
  readonly namespace: string;
  /** Keys that none of their pods mounts are not added to a Secret that is there. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * @returns what {@linkcode ensureTokens} would do
 * @throws {SerinError} `configuration` where the Secret is there without a key that nobody may replace
 */
export async function planTokens(
  client: KubernetesClient,
  { namespace, objects }: TokensRequest,
): Promise<TokensPlan> {
  return planFor(await findSecret(client, namespace), { namespace, objects });
}

/**
 * Makes the Secret with random tokens where it is missing, and adds what it lacks and pods mount; what
 * is there stays.
 *
 * @returns what was done
 * @throws {SerinError} `configuration` as {@linkcode planTokens}; what the API server says of a Secret
 *   that takes no key
 */
export async function ensureTokens(
  client: KubernetesClient,
  request: TokensRequest,
  random: Random,
): Promise<TokensPlan> {
  const secret = await findSecret(client, request.namespace);
  const plan = planFor(secret, request);
  if (secret === undefined) return await makeSecret(client, request, random) ? plan : NOTHING;
  if (plan.action === "change") await addKeys(client, secret, plan.keys, random);
  return plan;
}

/**
 * @returns the admin's token
 * @throws {SerinError} `not_found`, `configuration`, `permission_denied`
 */
export async function readAdminToken(
  client: KubernetesClient,
  namespace: string,
): Promise<string> {
  const secret = await findSecret(client, namespace);
  if (secret === undefined) {
    throw new SerinError(
      "not_found",
      `There is no Secret ${TOKENS_NAME} in namespace ${namespace}: serin is not installed there`,
      { hint: "`serin deploy apply` installs it; or name another --namespace" },
    );
  }
  checkKeys(secret, namespace);
  const encoded = textsAt(secret, "data")["admin-token"] ?? "";
  return new TextDecoder().decode(Uint8Array.fromBase64(encoded)).trim();
}

const NOTHING: TokensPlan = { action: "unchanged", keys: [] };

function planFor(
  secret: KubernetesObject | undefined,
  { namespace, objects }: TokensRequest,
): TokensPlan {
  if (secret === undefined) return { action: "create", keys: [...KEYS, ...ADDED_KEYS] };
  checkKeys(secret, namespace);
  const mounted = mountedSecretKeys(objects, TOKENS_NAME);
  const keys = missingOf(secret, ADDED_KEYS).filter((key) => mounted.has(key));
  return keys.length === 0 ? NOTHING : { action: "change", keys };
}

async function findSecret(
  client: KubernetesClient,
  namespace: string,
): Promise<KubernetesObject | undefined> {
  return await client.get({ apiVersion: "v1", kind: "Secret", namespace, name: TOKENS_NAME });
}

/** @returns false where somebody else has made it meanwhile */
async function makeSecret(
  client: KubernetesClient,
  { namespace }: TokensRequest,
  random: Random,
): Promise<boolean> {
  try {
    await client.create(tokensSecret(namespace, random));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "already_exists") throw thrown;
    return false;
  }
}

/** Whoever else has written to it meanwhile may have added the same: nothing is overwritten. */
async function addKeys(
  client: KubernetesClient,
  { apiVersion, kind, metadata }: KubernetesObject,
  keys: readonly TokenKey[],
  random: Random,
): Promise<void> {
  const { name, namespace, resourceVersion } = metadata;
  try {
    await client.patch(
      { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) },
      { metadata: { resourceVersion }, data: randomTokens(keys, random) },
    );
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    throw new SerinError(
      thrown.code,
      `The Secret ${name} in namespace ${namespace} has no ${
        keys.join(" and no ")
      }, and it cannot ` +
        `be added: ${messageOf(thrown)}`,
      {
        hint: thrown.code === "conflict"
          ? "apply again"
          : "add it where the Secret comes from: a random token of its own, `openssl rand -hex 32`",
        cause: thrown,
      },
    );
  }
}

function tokensSecret(namespace: string, random: Random): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: TOKENS_NAME,
      namespace,
      labels: { "app.kubernetes.io/name": "serin", "app.kubernetes.io/part-of": "serin" },
    },
    type: "Opaque",
    data: randomTokens([...KEYS, ...ADDED_KEYS], random),
  };
}

/** @returns the Secret's data */
function randomTokens(keys: readonly TokenKey[], random: Random): Record<string, string> {
  return Object.fromEntries(keys.map((key) => {
    const token = random.bytes(TOKEN_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
    return [key, new TextEncoder().encode(token).toBase64()];
  }));
}

function missingOf(secret: KubernetesObject, keys: readonly TokenKey[]): TokenKey[] {
  const data = textsAt(secret, "data");
  return keys.filter((key) => (data[key] ?? "") === "");
}

function checkKeys(secret: KubernetesObject, namespace: string): void {
  const missing = missingOf(secret, KEYS);
  if (missing.length === 0) return;
  throw new SerinError(
    "configuration",
    `The Secret ${TOKENS_NAME} in namespace ${namespace} has no ${missing.join(" and no ")}`,
    {
      hint: "add what is missing with `kubectl edit secret`, or delete the Secret: " +
        "`serin deploy apply` makes it anew",
    },
  );
}
