import type { KubernetesObject } from "../kubernetes/mod.ts";
import { CONTROLLER, ownLabels } from "./labels.ts";
import { isEnded, type RolloutDetail, type RolloutPhase } from "./registry_port.ts";
import { formatShare, rfc3339, type RolloutObjectStatus, shownStep } from "./rollout_object.ts";

/** What is worth an event. */
interface Happening {
  readonly reason: string;
  readonly type: "Normal" | "Warning";
  /** Tells two events of one reason apart; the same whoever sees it, and whenever. */
  readonly key: string;
  readonly message: string;
  readonly time: number;
}

/** Kubernetes drops events after an hour; older ones are not made at all. */
const AGE_MS_MAX = 3600 * 1000;
const MESSAGE_CHARACTERS_MAX = 1024;

const ENDS: Readonly<Record<string, Pick<Happening, "reason" | "type">>> = {
  promoted: { reason: "Promoted", type: "Normal" },
  rolled_back: { reason: "RolledBack", type: "Warning" },
  inconclusive: { reason: "Inconclusive", type: "Warning" },
  superseded: { reason: "Superseded", type: "Normal" },
  aborted: { reason: "Aborted", type: "Normal" },
};

/**
 * The events between what the mirror shows and what the registry says. Their names follow from what
 * happened and from the object alone, so that making them twice makes one.
 *
 * @param object the mirror as the server has it
 * @param before its status; undefined: it was just made
 * @param now milliseconds since the epoch
 */
export function rolloutEvents(
  object: KubernetesObject,
  before: Partial<RolloutObjectStatus> | undefined,
  rollout: RolloutDetail,
  now: number,
): KubernetesObject[] {
  return happenings(before, rollout, now)
    .filter(({ time }) => now - time < AGE_MS_MAX)
    .map((happening) => toEvent(object, happening));
}

function happenings(
  before: Partial<RolloutObjectStatus> | undefined,
  rollout: RolloutDetail,
  now: number,
): Happening[] {
  const { phase, steps, share, verdict, startedAt, endedAt, holdAt, holdReason } = rollout;
  const found: Happening[] = [];
  if (before?.phase === undefined) {
    const message = `version ${rollout.canary} is tried against ${rollout.stable} ` +
      `as ${rollout.alias} of ${rollout.model}, in ${steps} steps`;
    found.push({
      reason: "RolloutStarted",
      type: "Normal",
      key: "started",
      message,
      time: startedAt,
    });
  }
  if (isEnded(phase)) {
    if (before?.phase === phase) return found;
    const key = phase.replace("_", "-"), time = endedAt ?? now;
    return [...found, { ...ENDS[phase], key, message: verdict, time }];
  }
  const shown = shownStep(rollout);
  if (shown > 0 && before?.step !== shown) {
    const message = `step ${shown} of ${steps}: the canary gets ${formatShare(share)}`;
    found.push({ reason: "StepChanged", type: "Normal", key: `step-${shown}`, message, time: now });
  }
  if (phase === "hold" && (before?.phase as RolloutPhase | undefined) !== "hold") {
    const key = `held-${holdAt ?? shown}-${(holdReason ?? "hold").replaceAll("_", "-")}`;
    found.push({ reason: "Held", type: "Warning", key, message: verdict, time: holdAt ?? now });
  }
  return found;
}

function toEvent(object: KubernetesObject, happening: Happening): KubernetesObject {
  const { apiVersion, kind, metadata: { name, namespace, uid = "", resourceVersion } } = object;
  const { reason, type, key, message, time } = happening;
  const timestamp = rfc3339(time);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      // An object made anew is another one to `kubectl describe`.
      name: `${name}.${uid.slice(0, 8)}.${key}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: ownLabels("controller"),
    },
    involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
    reason,
    message: message.slice(0, MESSAGE_CHARACTERS_MAX),
    type,
    source: { component: CONTROLLER },
    reportingComponent: CONTROLLER,
    reportingInstance: CONTROLLER,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    count: 1,
  };
}
