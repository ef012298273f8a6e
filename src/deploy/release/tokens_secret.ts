import { type Random, SerinError } from "../../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../../kubernetes/mod.ts";
import { textsAt } from "./object_fields.ts";

/** The Secret that registry, serving and controller read their tokens from. */
export const TOKENS_NAME = "serin-tokens";

/** Its keys. */
export const TOKEN_KEYS = ["admin-token", "replica-token"] as const;

const TOKEN_BYTES = 32;

/** @returns the Secret's state: `missing` is made by an apply, `there` is never touched */
export async function findTokens(
  client: KubernetesClient,
  namespace: string,
): Promise<"missing" | "there"> {
  const secret = await client.get({
    apiVersion: "v1",
    kind: "Secret",
    namespace,
    name: TOKENS_NAME,
  });
  if (secret === undefined) return "missing";
  checkKeys(secret, namespace);
  return "there";
}

/**
 * Makes the Secret with random tokens where it is missing; what is there stays.
 *
 * @returns whether it was made
 * @throws {SerinError} `configuration` where it is there without one of its keys
 */
export async function ensureTokens(
  client: KubernetesClient,
  namespace: string,
  random: Random,
): Promise<boolean> {
  if (await findTokens(client, namespace) === "there") return false;
  try {
    await client.create(tokensSecret(namespace, random));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "already_exists") throw thrown;
    return false;
  }
}

/**
 * @returns the admin's token
 * @throws {SerinError} `not_found`, `configuration`, `permission_denied`
 */
export async function readAdminToken(
  client: KubernetesClient,
  namespace: string,
): Promise<string> {
  const secret = await client.get({
    apiVersion: "v1",
    kind: "Secret",
    namespace,
    name: TOKENS_NAME,
  });
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

function tokensSecret(namespace: string, random: Random): KubernetesObject {
  const token = () =>
    random.bytes(TOKEN_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  const data = TOKEN_KEYS.map((key) => [key, new TextEncoder().encode(token()).toBase64()]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: TOKENS_NAME,
      namespace,
      labels: { "app.kubernetes.io/name": "serin", "app.kubernetes.io/part-of": "serin" },
    },
    type: "Opaque",
    data: Object.fromEntries(data),
  };
}

function checkKeys(secret: KubernetesObject, namespace: string): void {
  const data = textsAt(secret, "data");
  const missing = TOKEN_KEYS.filter((key) => (data[key] ?? "") === "");
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
