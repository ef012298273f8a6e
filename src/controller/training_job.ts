import { SerinError } from "../core/mod.ts";
import type { KubernetesObject, OwnerReference } from "../kubernetes/mod.ts";
import { KEYS, ownLabels } from "./labels.ts";
import { dnsLabelOf } from "./object_names.ts";
import type { TrainingRequest } from "./training_request.ts";

/** How long a Job stays when it has ended, where its template says nothing: a day. */
const KEEP_SECONDS = 24 * 3600;

/** Where a container that fails leaves no message, the end of its log is one. */
const LAST_WORDS = "FallbackToLogsOnError";

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
}

/** The parts of a `batch/v1` CronJob that are read. */
interface CronJobSpec {
  readonly jobTemplate?: {
    readonly metadata?: {
      readonly labels?: Record<string, string>;
      readonly annotations?: Record<string, string>;
    };
    readonly spec?: {
      readonly ttlSecondsAfterFinished?: number;
      readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
    };
  };
}

/**
 * The Job of a request, as `kubectl create job --from=cronjob/…` makes it, with the request's arguments
 * behind the template's.
 *
 * @throws {SerinError} `invalid_input` where the CronJob has no container
 */
export function toTrainingJob(
  cronJob: KubernetesObject,
  job: { readonly name: string; readonly model: string; readonly request: TrainingRequest },
): KubernetesObject {
  const { name, model, request } = job;
  const template = (cronJob.spec as CronJobSpec | undefined)?.jobTemplate;
  const podSpec = template?.spec?.template?.spec, containers = podSpec?.containers ?? [];
  const chosen = containers.find((one) => one.name === "serin") ?? containers[0];
  if (chosen === undefined) {
    const what = `CronJob ${cronJob.metadata.name}`;
    throw new SerinError("invalid_input", `${what} has no container in its jobTemplate`);
  }
  const args = argsOf(chosen.args ?? [], request, model);
  const { namespace } = cronJob.metadata;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...template?.metadata?.labels,
        ...ownLabels("training"),
        [KEYS.model]: dnsLabelOf(model),
      },
      annotations: {
        ...template?.metadata?.annotations,
        "cronjob.kubernetes.io/instantiate": "manual",
        [KEYS.model]: model,
        [KEYS.request]: request.id,
      },
      ownerReferences: [ownerOf(cronJob)],
    },
    spec: {
      ttlSecondsAfterFinished: KEEP_SECONDS,
      ...template?.spec,
      template: {
        ...template?.spec?.template,
        spec: {
          ...podSpec,
          containers: containers.map((one) =>
            one === chosen ? { ...one, args, terminationMessagePolicy: LAST_WORDS } : one
          ),
        },
      },
    },
  };
}

function argsOf(given: readonly string[], request: TrainingRequest, model: string): string[] {
  // Kubernetes puts variables of the environment in the place of $(NAME); $$( stands for itself.
  const asked = request.arguments.map((argument) => argument.replaceAll("$(", "$$$$("));
  const all = [...given, ...asked];
  const isNamed = all.some((arg) => arg === "--register" || arg.startsWith("--register="));
  return isNamed ? all : [...all, "--register", model.replaceAll("$(", "$$$$(")];
}

/**
 * Deleted with the CronJob. Not its `controller`: then its history limits would delete Jobs before their
 * ends are read.
 */
function ownerOf({ apiVersion, kind, metadata }: KubernetesObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "" };
}

/** How a Job stands. */
export interface JobOutcome {
  readonly phase: "running" | "succeeded" | "failed";
  readonly message: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

interface JobStatus {
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTransitionTime?: string;
  }[];
}

/** @returns how a Job stands by its conditions */
export function jobOutcome(job: KubernetesObject): JobOutcome {
  const { startTime = "", completionTime, conditions = [] } = (job.status ?? {}) as JobStatus;
  const find = (type: string) =>
    conditions.find((one) => one.type === type && one.status === "True");
  const complete = find("Complete"), failed = find("Failed");
  const endedAt = completionTime ?? (complete ?? failed)?.lastTransitionTime ?? "";
  const times = { startedAt: startTime, endedAt };
  if (complete !== undefined) return { phase: "succeeded", message: "", ...times };
  if (failed === undefined) return { phase: "running", message: "", ...times, endedAt: "" };
  const message = [failed.reason, failed.message].filter(Boolean).join(": ");
  return { phase: "failed", message, ...times };
}

interface PodStatus {
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly state?: { readonly terminated?: Terminated };
    readonly lastState?: { readonly terminated?: Terminated };
  }[];
}

interface Terminated {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
}

const MESSAGE_CHARACTERS_MAX = 2000;

/** @returns what the last container that failed said when it ended, or undefined */
export function lastTermination(pods: readonly KubernetesObject[]): string | undefined {
  const ends = pods.flatMap((pod) =>
    ((pod.status as PodStatus | undefined)?.containerStatuses ?? []).flatMap(
      ({ name, state, lastState }) =>
        [state?.terminated, lastState?.terminated].filter((end) => end !== undefined)
          .map((end) => ({ name, ...end })),
    )
  );
  const last = ends.filter(({ exitCode }) => exitCode !== 0)
    .toSorted((a, b) => (a.finishedAt ?? "") < (b.finishedAt ?? "") ? 1 : -1)[0];
  if (last === undefined) return undefined;
  const said = (last.message ?? "").trim().slice(-MESSAGE_CHARACTERS_MAX);
  const head = `container ${last.name} ended with ${last.exitCode} (${last.reason ?? "Error"})`;
  return said === "" ? head : `${head}: ${said}`;
}
