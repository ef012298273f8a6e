import type { SerinError } from "../../core/mod.ts";
import type { ObjectReference } from "../../kubernetes/mod.ts";

/** Why the API server refuses an object, for a person. */
export interface Refusal {
  readonly reason: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** How the API server says of several kinds that what is there cannot become what is wanted. */
const IMMUTABLE =
  /immutable|updates to statefulset spec for fields other than|can not be less than/;

/** A whole object in a message, as the server writes Jobs. */
const DUMPED_VALUE = /: Invalid value: \{[\s\S]*\}(?=: )/;

/** A difference of whole claims below a message. */
const DUMPED_DIFFERENCE = /\s*\n@@[\s\S]*$/;

/** @returns the reason without the objects that the server writes into it, and the way out */
export function refusalOf(reference: ObjectReference, thrown: SerinError): Refusal {
  const { message } = thrown;
  if (!IMMUTABLE.test(message)) {
    const hint = thrown.details?.conflicts === undefined
      ? thrown.hint
      : "leave it to them, or take the fields over with --force-conflicts";
    return hint === undefined ? { reason: message } : { reason: message, hint };
  }
  const reason = message.replace(DUMPED_VALUE, "").replace(DUMPED_DIFFERENCE, "");
  return { reason, hint: wayAround(reference) };
}

/** Kinds that cannot be changed in place, and what is done instead. */
function wayAround({ kind, name, namespace }: ObjectReference): string {
  const inNamespace = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const remove = `kubectl delete ${kind.toLowerCase()} ${name}${inNamespace}`;
  switch (kind) {
    case "StatefulSet":
      return "its claims cannot be changed by it: keep the settings of its volume, or grow the " +
        `claim itself, then \`${remove} --cascade=orphan\` and apply again (its pod goes on)`;
    case "PersistentVolumeClaim":
      return "a claim can only grow, once it has its volume: keep the settings of its volume";
    case "Job":
      return `a Job cannot be changed: \`${remove}\`, then apply again: it trains anew`;
    default:
      return `it cannot be changed in place: \`${remove}\`, then apply again`;
  }
}
