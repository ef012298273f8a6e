import { SerinError } from "../core/mod.ts";

/** @returns the error of a kind that the cluster does not have: a CRD is missing, as a rule */
export function kindMissing(apiVersion: string, kind: string, hint?: string): SerinError {
  return new SerinError("not_found", `The cluster has no kind ${kind} in ${apiVersion}`, {
    hint: hint ??
      `apply the CustomResourceDefinition of ${kind} first, or check its name and apiVersion`,
    details: { reason: KIND_MISSING, apiVersion, kind },
  });
}

/** @returns whether a call failed because the cluster does not have the kind, not the object */
export function isKindMissing(thrown: unknown): thrown is SerinError {
  return thrown instanceof SerinError && thrown.details?.reason === KIND_MISSING;
}

const KIND_MISSING = "KindMissing";
