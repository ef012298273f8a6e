import { sha256Hex } from "../core/mod.ts";

const LABEL_CHARACTERS_MAX = 63;
const HASH_CHARACTERS = 8;

/**
 * A model's name as a DNS label (RFC 1123), for names and labels of objects. A name that is none is
 * written in small letters, other characters as dashes, with a hash of the name: two models never share
 * one.
 *
 * @param charactersMax e.g. 45, at least 12
 *
 * @example Names that are labels stay
 * ```ts
 * import { dnsLabelOf } from "./mod.ts";
 * console.assert(dnsLabelOf("electricity") === "electricity");
 * console.assert(/^my-model-[0-9a-f]{8}$/.test(dnsLabelOf("My model")));
 * ```
 */
export function dnsLabelOf(name: string, charactersMax = LABEL_CHARACTERS_MAX): string {
  if (name.length <= charactersMax && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return name;
  const hash = sha256Hex(name).slice(0, HASH_CHARACTERS);
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "")
    .slice(0, charactersMax - HASH_CHARACTERS - 1).replace(/-+$/, "");
  return plain === "" ? `m-${hash}` : `${plain}-${hash}`;
}

/** @returns the name of a rollout's mirror, e.g. `electricity-r0123456789abcdef` */
export function rolloutObjectName(model: string, id: string): string {
  const suffix = dnsLabelOf(id, 24);
  return `${dnsLabelOf(model, LABEL_CHARACTERS_MAX - suffix.length - 1)}-${suffix}`;
}

/** @returns the name of the one Job of a training request, e.g. `serin-train-iris-1f3a…` */
export function trainingJobName(template: string, model: string, requestId: string): string {
  const hash = sha256Hex(`${model}\n${requestId}`).slice(0, 10);
  const room = LABEL_CHARACTERS_MAX - template.length - hash.length - 2;
  return `${template}-${dnsLabelOf(model, Math.max(12, room))}-${hash}`;
}
