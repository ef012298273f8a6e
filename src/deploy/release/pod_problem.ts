import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { configMapHint, secretKeyHint } from "./mounted_config.ts";
import { conditionOf, listAt, numberAt, textAt, timeAt, valueAt } from "./object_fields.ts";

/** Why a pod is not ready. */
export interface PodProblem {
  /** Whether waiting alone will not heal it. */
  readonly lasting: boolean;
  /** One line: the reason, what Kubernetes says of it, the last words of the process. */
  readonly message: string;
}

/** Waiting reasons of a container that stay until the object, the image or the cluster is changed. */
const LASTING_REASONS: Readonly<Record<string, string>> = {
  CreateContainerConfigError: "its configuration is not there",
  CreateContainerError: "its container cannot be made",
  ErrImageNeverPull: "its image is not on the node and may not be pulled",
  ErrImagePull: "its image cannot be pulled",
  ImageInspectError: "its image cannot be read",
  ImagePullBackOff: "its image cannot be pulled",
  InvalidImageName: "its image's name is not valid",
  RunContainerError: "its container cannot be started",
};

/** A container that ended this often under back-off ends again, as a rule. */
const RESTARTS_LASTING_MIN = 2;

/** A pod that fits no node for this long stays so, unless nodes are being added. */
const UNSCHEDULABLE_LASTING_MS = 20_000;

const LAST_WORDS_CHARACTERS_MAX = 300;
const EVENT_CHARACTERS_MAX = 200;

/**
 * Explains a pod that is not ready.
 *
 * @param events of its namespace; those of other objects are left out
 * @param nowMs milliseconds since the epoch
 * @returns undefined where nothing is wrong: it is ready, or on its way
 */
export function podProblem(
  pod: KubernetesObject,
  events: readonly KubernetesObject[],
  nowMs: number,
): PodProblem | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isReady(pod)) return undefined;
  const own = eventsOf(pod, events);
  return schedulingProblem(pod, own, nowMs) ?? phaseProblem(pod) ?? containersProblem(pod, own) ??
    mountProblem(own, pod.metadata.namespace);
}

/** @returns whether a pod takes requests */
export function isReady(pod: KubernetesObject): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

/** @returns how often containers of a pod were started again, and why the last one ended */
export function restartsOf(pod: KubernetesObject): { count: number; why: string | undefined } {
  const statuses = containerStatuses(pod);
  const count = statuses.reduce<number>(
    (sum, status) => sum + (numberAt(status, "restartCount") ?? 0),
    0,
  );
  const ended = statuses.map((status) => valueAt(status, "lastState", "terminated"))
    .find((terminated) => terminated !== undefined && terminated !== null);
  return { count, why: ended === undefined ? undefined : describeEnd(ended) };
}

/** Warnings about one object, the newest first. */
export function eventsOf(
  object: KubernetesObject,
  events: readonly KubernetesObject[],
): KubernetesObject[] {
  const { name, uid } = object.metadata;
  const about = events.filter((event) =>
    textAt(event, "involvedObject", "kind") === object.kind &&
    textAt(event, "involvedObject", "name") === name &&
    (uid === undefined || (textAt(event, "involvedObject", "uid") ?? uid) === uid)
  );
  return about.toSorted((a, b) => eventTime(b) - eventTime(a));
}

/** @returns when an event was seen last, milliseconds since the epoch */
export function eventTime(event: KubernetesObject): number {
  return timeAt(event, "series", "lastObservedTime") ?? timeAt(event, "lastTimestamp") ??
    timeAt(event, "eventTime") ?? timeAt(event, "metadata", "creationTimestamp") ?? 0;
}

function schedulingProblem(
  pod: KubernetesObject,
  events: readonly KubernetesObject[],
  nowMs: number,
): PodProblem | undefined {
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status !== "False") return undefined;
  const since = nowMs - (scheduled.changedAt ?? nowMs);
  const growing = events.some((event) => textAt(event, "reason") === "TriggeredScaleUp");
  const reason = scheduled.reason || "Unschedulable";
  return {
    lasting: since >= UNSCHEDULABLE_LASTING_MS && !growing,
    message: `${reason}: ${scheduled.message || "no node takes it"}` +
      (growing ? " (nodes are being added)" : ""),
  };
}

/** Evicted, refused by the kubelet, or ended for good. */
function phaseProblem(pod: KubernetesObject): PodProblem | undefined {
  if (textAt(pod, "status", "phase") !== "Failed") return undefined;
  const reason = textAt(pod, "status", "reason");
  if (reason === undefined) return undefined;
  // Its controller makes another: this one alone says nothing about that.
  return { lasting: false, message: `${reason}: ${textAt(pod, "status", "message") ?? ""}`.trim() };
}

function containersProblem(
  pod: KubernetesObject,
  events: readonly KubernetesObject[],
): PodProblem | undefined {
  for (const status of containerStatuses(pod)) {
    const name = textAt(status, "name") ?? "";
    const problem = waitingProblem(name, status, events) ?? endedProblem(name, status) ??
      probeProblem(name, status, events);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function waitingProblem(
  name: string,
  status: unknown,
  events: readonly KubernetesObject[],
): PodProblem | undefined {
  const reason = textAt(status, "state", "waiting", "reason");
  if (reason === undefined) return undefined;
  const said = textAt(status, "state", "waiting", "message");
  if (reason === "CrashLoopBackOff") {
    const restarts = numberAt(status, "restartCount") ?? 0;
    const ended = valueAt(status, "lastState", "terminated");
    const probe = ended === undefined ? undefined : latestOf(events, "Unhealthy");
    const why = [ended === undefined ? said : describeEnd(ended), probe]
      .filter((part) => part !== undefined).join("; ");
    return {
      lasting: restarts >= RESTARTS_LASTING_MIN,
      message: `container ${name} ends again and again (CrashLoopBackOff, ${restarts} ` +
        `restarts): ${why}`,
    };
  }
  const lasting = LASTING_REASONS[reason];
  if (lasting === undefined) return undefined;
  // The kubelet goes to and fro between the two: it is one and the same trouble.
  const known = reason === "ErrImagePull" ? "ImagePullBackOff" : reason;
  // The event of the pull says more than the back-off that follows it.
  const pull = /Pull|Image/.test(reason)
    ? latestOf(events, "Failed", /^Failed to (pull|inspect)/)
    : undefined;
  const head = `container ${name}: ${lasting} (${known})`, why = pull ?? said;
  return { lasting: true, message: why ? `${head}: ${shorten(why)}` : head };
}

/** Between its end and the back-off. */
function endedProblem(name: string, status: unknown): PodProblem | undefined {
  const ended = valueAt(status, "state", "terminated");
  if (ended === undefined || ended === null || numberAt(ended, "exitCode") === 0) return undefined;
  return { lasting: false, message: `container ${name} ended: ${describeEnd(ended)}` };
}

/** It runs, but is not ready: a probe says why, once it has failed. */
function probeProblem(
  name: string,
  status: unknown,
  events: readonly KubernetesObject[],
): PodProblem | undefined {
  if (valueAt(status, "state", "running") === undefined || valueAt(status, "ready") === true) {
    return undefined;
  }
  const started = timeAt(status, "state", "running", "startedAt") ?? 0;
  const probe = events.find((event) =>
    textAt(event, "reason") === "Unhealthy" && eventTime(event) >= started
  );
  const ended = valueAt(status, "lastState", "terminated");
  if (probe === undefined && ended === undefined) return undefined;
  const parts = [
    probe === undefined ? "is not ready yet" : shorten(textAt(probe, "message") ?? ""),
    ...(ended === undefined || ended === null
      ? []
      : [`before that it ended: ${describeEnd(ended)}`]),
  ];
  return { lasting: false, message: `container ${name}: ${parts.join("; ")}` };
}

/**
 * A volume that is not there keeps containers from being made: only events say so. Not lasting, for the
 * kubelet tries again, and its last event stays a while when what was missing has come.
 */
function mountProblem(
  events: readonly KubernetesObject[],
  namespace: string | undefined,
): PodProblem | undefined {
  const failures = events.filter((event) =>
    ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"]
      .includes(textAt(event, "reason") ?? "")
  );
  const said = (event: KubernetesObject) => textAt(event, "message") ?? "";
  // "timed out waiting for the condition", which comes after it, says less than what is not found.
  const found = failures.find((event) => NOT_FOUND.test(said(event))) ?? failures[0];
  if (found === undefined) return undefined;
  const [kind, name] = NOT_FOUND.exec(said(found))?.slice(1).filter((part) => part) ?? [];
  const hint = kind === "configmap"
    ? configMapHint(name, namespace)
    : kind === "secret key:"
    ? secretKeyHint(name)
    : undefined;
  return {
    lasting: false,
    message: `${textAt(found, "reason")}: ${shorten(said(found))}` +
      (hint === undefined ? "" : `; ${hint}`),
  };
}

/** How the kubelet names what a volume is to be made of. */
const NOT_FOUND =
  /(configmap|secret) "([^"]+)" not found|references non-existent (secret key:) (\S+)/;

function containerStatuses(pod: KubernetesObject): readonly unknown[] {
  return [
    ...listAt(pod, "status", "initContainerStatuses").filter((status) =>
      valueAt(status, "state", "terminated", "exitCode") !== 0
    ),
    ...listAt(pod, "status", "containerStatuses"),
  ];
}

function describeEnd(terminated: unknown): string {
  const code = numberAt(terminated, "exitCode") ?? -1;
  const reason = textAt(terminated, "reason") ?? "";
  const what = reason === "OOMKilled"
    ? "killed for using more memory than its limit (OOMKilled)"
    : `exit code ${code}${reason === "" || reason === "Error" ? "" : ` (${reason})`}`;
  const said = textAt(terminated, "message")?.trim() ?? "";
  if (said === "") return what;
  const words = said.length <= LAST_WORDS_CHARACTERS_MAX
    ? said
    : `…${said.slice(-LAST_WORDS_CHARACTERS_MAX)}`;
  return `${what}: ${words.replaceAll(/\s*\n\s*/g, " | ")}`;
}

function latestOf(
  events: readonly KubernetesObject[],
  reason: string,
  pattern?: RegExp,
): string | undefined {
  const found = events.find((event) =>
    textAt(event, "reason") === reason &&
    (pattern === undefined || pattern.test(textAt(event, "message") ?? ""))
  );
  return found === undefined ? undefined : shorten(textAt(found, "message") ?? "");
}

/** The beginning says what was tried, the end why it failed. */
function shorten(text: string): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, " | "), half = EVENT_CHARACTERS_MAX / 2;
  return line.length <= EVENT_CHARACTERS_MAX
    ? line
    : `${line.slice(0, half)} … ${line.slice(-half)}`;
}
