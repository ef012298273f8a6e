import type { KubernetesObject } from "../kubernetes/mod.ts";
import { KEYS, ownLabels, ROLLOUT_API_VERSION } from "./labels.ts";
import { dnsLabelOf, rolloutObjectName } from "./object_names.ts";
import { isEnded, type RolloutDetail, type RolloutPhase } from "./registry_port.ts";

/** A condition as Kubernetes writes it. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  /** RFC 3339; when the status last changed. */
  readonly lastTransitionTime: string;
}

/** The status of a Rollout object. */
export interface RolloutObjectStatus {
  readonly phase: RolloutPhase;
  /** 0 before the first step, then from 1. */
  readonly step: number;
  readonly steps: number;
  readonly share: string;
  readonly canaryRequests: number;
  readonly evidence: string;
  readonly labelEvidence: string;
  readonly evidenceNeeded: string;
  readonly verdict: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly metrics: readonly Record<string, unknown>[];
  readonly observedAt?: string;
  readonly conditions: readonly Condition[];
}

/** The CRD's own limit is a little above. */
const MESSAGE_CHARACTERS_MAX = 30_000;

/** The object of a rollout, without its status. */
export function toRolloutObject(rollout: RolloutDetail, namespace: string): KubernetesObject {
  const { id, model, alias, stable, canary, plan } = rollout;
  return {
    apiVersion: ROLLOUT_API_VERSION,
    kind: "Rollout",
    metadata: {
      name: rolloutObjectName(model, id),
      namespace,
      labels: {
        ...ownLabels("controller"),
        [KEYS.model]: dnsLabelOf(model),
        [KEYS.rollout]: dnsLabelOf(id),
      },
    },
    spec: { model, alias, stable, canary, rollout: id, plan },
  };
}

/**
 * @param before the status that the object has now
 * @param now milliseconds since the epoch
 */
export function toRolloutStatus(
  rollout: RolloutDetail,
  before: Partial<RolloutObjectStatus> | undefined,
  now: number,
): RolloutObjectStatus {
  const { phase, steps, share, endedAt, startedAt } = rollout;
  const verdict = rollout.verdict.slice(0, MESSAGE_CHARACTERS_MAX);
  return {
    phase,
    step: shownStep(rollout),
    steps,
    share: formatShare(share),
    canaryRequests: rollout.canaryRequests,
    evidence: formatNumber(rollout.evidence),
    labelEvidence: formatNumber(rollout.labelEvidence),
    evidenceNeeded: formatNumber(rollout.evidenceNeeded),
    verdict,
    startedAt: rfc3339(startedAt),
    ...(endedAt === null ? {} : { endedAt: rfc3339(endedAt) }),
    metrics: rollout.metrics.map(({ metric, canary, stable, ratio }) => ({
      metric,
      canary: { events: canary.events, trials: canary.trials },
      stable: { events: stable.events, trials: stable.trials },
      ...(ratio === null ? {} : { ratio: formatRatio(ratio) }),
    })),
    conditions: [
      ...phaseConditions(rollout, verdict),
      reachability(before, { reachable: true, message: "the registry answers", now }),
    ],
  };
}

/** @returns 0 for a canary that never got a share, then from 1 */
export function shownStep({ phase, step, history }: RolloutDetail): number {
  const isWaiting = phase === "warmup" ||
    (isEnded(phase) && history !== undefined && history.every(({ share }) => share === 0));
  return isWaiting ? 0 : step + 1;
}

/**
 * The condition `RegistryReachable`.
 *
 * @param before where the time of the last transition is kept
 */
export function reachability(
  before: Partial<RolloutObjectStatus> | undefined,
  seen: { readonly reachable: boolean; readonly message: string; readonly now: number },
): Condition {
  const status = seen.reachable ? "True" : "False";
  const known = before?.conditions?.find(({ type }) => type === REGISTRY_REACHABLE);
  return {
    type: REGISTRY_REACHABLE,
    status,
    reason: seen.reachable ? "Answers" : "OutOfReach",
    message: seen.message.slice(0, MESSAGE_CHARACTERS_MAX),
    lastTransitionTime: known?.status === status ? known.lastTransitionTime : rfc3339(seen.now),
  };
}

/** The type of the condition of {@linkcode reachability}. */
export const REGISTRY_REACHABLE = "RegistryReachable";

/** RFC 3339 in whole seconds, as `metav1.Time` is kept. */
export function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Their times are the registry's: the object may be made anew at any time and says the same. */
function phaseConditions(rollout: RolloutDetail, verdict: string): Condition[] {
  const { phase, startedAt, endedAt } = rollout, ended = isEnded(phase);
  const reason = camelCase(phase);
  const changedAt = rfc3339(ended ? endedAt ?? startedAt : startedAt);
  const one = (type: string, holds: boolean, message: string): Condition => ({
    type,
    status: holds ? "True" : "False",
    reason,
    message,
    lastTransitionTime: changedAt,
  });
  const otherwise = ended ? `it is ${phase.replace("_", " ")}` : "not decided yet";
  const outcome = (type: string, end: RolloutPhase) =>
    one(type, phase === end, phase === end ? verdict : otherwise);
  return [
    one("Progressing", !ended, verdict),
    outcome("Promoted", "promoted"),
    outcome("RolledBack", "rolled_back"),
  ];
}

/** @returns e.g. `RolledBack` */
export function camelCase(phase: string): string {
  return phase.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** @returns e.g. `25 %`, `0.5 %` */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function formatRatio(
  ratio: { estimate: number | null; lower: number; upper: number | null },
): string {
  const show = (value: number | null) => value === null ? "∞" : formatNumber(value);
  return `${show(ratio.estimate)} (${show(ratio.lower)} to ${show(ratio.upper)})`;
}

/** Three digits; large ones in a form that people can compare. */
function formatNumber(value: number): string {
  if (value >= 1e6) return value.toExponential(1);
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
