import { type Log, SerinError } from "../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../kubernetes/mod.ts";
import { eachOf } from "./each_of.ts";
import { CONTROLLER, KEYS } from "./labels.ts";
import { trainingJobName } from "./object_names.ts";
import type { RegistryModel, RegistryPort } from "./registry_port.ts";
import { jobOutcome, lastTermination, toTrainingJob } from "./training_job.ts";
import {
  parseTrainingRequest,
  parseTrainingStatus,
  refusedId,
  type TrainingRequest,
  type TrainingStatus,
} from "./training_request.ts";

/** What {@linkcode TrainingJobs} stand on. */
export interface TrainingJobsOptions {
  readonly client: KubernetesClient;
  readonly registry: RegistryPort;
  readonly log: Log;
  /** The CronJob that is every Job's template; default `serin-train`. */
  readonly template?: string;
}

/** A failed Job is asked for its pods' last words; the tag's limit is 8000 bytes. */
const STATUS_MESSAGE_CHARACTERS_MAX = 3000;

/** Makes a Job of each training request, one at a time a model, and writes back how it ended. */
export class TrainingJobs {
  readonly #options: TrainingJobsOptions;
  readonly #template: string;
  #mayListPods = true;

  constructor(options: TrainingJobsOptions) {
    this.#options = options;
    this.#template = options.template ?? "serin-train";
  }

  /**
   * @param models all that the registry has
   * @param live the controller's Jobs
   * @throws the first failure, when all requests have been tried
   */
  async reconcile(
    models: readonly RegistryModel[],
    live: readonly KubernetesObject[],
  ): Promise<void> {
    const asked = models.filter(({ tags }) => tags[KEYS.requestTag] !== undefined);
    await eachOf(asked.map((model) => () => this.#train(model, live)));
  }

  async #train(model: RegistryModel, live: readonly KubernetesObject[]): Promise<void> {
    const before = parseTrainingStatus(model.tags[KEYS.statusTag]);
    const status = await this.#statusOf(model, before, live);
    if (status === undefined || isSame(status, before)) return;
    const { id, phase, job, message } = status;
    await this.#options.registry.setModelTag(model.name, KEYS.statusTag, JSON.stringify(status));
    // Its times alone are nothing to tell.
    if (id === before?.id && phase === before.phase && message === before.message) return;
    this.#options.log.info(`training ${id} of ${model.name}: ${phase}`, {
      ...(job === "" ? {} : { job }),
      ...(message === "" ? {} : { message }),
    });
  }

  async #statusOf(
    { name: model, tags }: RegistryModel,
    before: TrainingStatus | undefined,
    live: readonly KubernetesObject[],
  ): Promise<TrainingStatus | undefined> {
    const text = tags[KEYS.requestTag];
    let request: TrainingRequest;
    try {
      request = parseTrainingRequest(text);
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      return failure(refusedId(text), `${thrown.message}; ${thrown.hint}`);
    }
    // What has ended stays so, also when its Job is long gone.
    if (before?.id === request.id && before.phase !== "running") return undefined;
    const name = trainingJobName(this.#template, model, request.id);
    const job = live.find(({ metadata }) => metadata.name === name) ??
      await this.#options.client.get({ apiVersion: "batch/v1", kind: "Job", name });
    if (job !== undefined) return await this.#statusOfJob(job, model, request);
    if (before?.id === request.id && before.job === name) {
      const why = `the Job ${name} is gone, and its end was not seen: ask again with another id`;
      return { ...before, phase: "failed", message: why };
    }
    const other = live.find((one) =>
      one.metadata.annotations?.[KEYS.model] === model && jobOutcome(one).phase === "running"
    );
    if (other !== undefined) {
      const message = `waits for the Job ${other.metadata.name}: one at a time`;
      return { ...failure(request.id, message), phase: "running" };
    }
    return await this.#begin(name, model, request);
  }

  async #begin(name: string, model: string, request: TrainingRequest): Promise<TrainingStatus> {
    const { client } = this.#options;
    const ref = { apiVersion: "batch/v1", kind: "CronJob", name: this.#template };
    const cronJob = await client.get(ref);
    if (cronJob === undefined) {
      return failure(
        request.id,
        `there is no CronJob ${this.#template} in namespace ${client.namespace}, which is the ` +
          "template of training Jobs: apply it (`serin deploy apply`), then ask with another id",
      );
    }
    try {
      const job = toTrainingJob(cronJob, { name, model, request });
      const made = await client.create(job, { fieldManager: CONTROLLER });
      return await this.#statusOfJob(made, model, request);
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      if (thrown.code === "already_exists") {
        const other = await client.get({ apiVersion: "batch/v1", kind: "Job", name });
        if (other !== undefined) return await this.#statusOfJob(other, model, request);
      }
      // The template or the arguments are at fault: the same again would fail again.
      if (thrown.code === "invalid_input") return failure(request.id, thrown.message);
      throw thrown;
    }
  }

  async #statusOfJob(
    job: KubernetesObject,
    model: string,
    request: TrainingRequest,
  ): Promise<TrainingStatus> {
    const { name, annotations = {} } = job.metadata;
    if (annotations[KEYS.request] !== request.id || annotations[KEYS.model] !== model) {
      const why = `the Job ${name} is there, but was not made for this request: delete it`;
      return failure(request.id, why);
    }
    const { phase, startedAt, endedAt, message } = jobOutcome(job);
    const words = phase === "failed" ? await this.#lastWords(name) : undefined;
    const said = [message, words].filter((part) => part !== undefined && part !== "").join("; ");
    return {
      id: request.id,
      phase,
      job: name,
      message: said.slice(0, STATUS_MESSAGE_CHARACTERS_MAX),
      startedAt,
      endedAt,
    };
  }

  async #lastWords(job: string): Promise<string | undefined> {
    const { client, log } = this.#options;
    try {
      const labelSelector = `batch.kubernetes.io/job-name=${job}`;
      const { items } = await client.list({ apiVersion: "v1", kind: "Pod", labelSelector });
      this.#mayListPods = true;
      return lastTermination(items);
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.code !== "permission_denied") throw thrown;
      // The Job's own reason is worth more than no status at all.
      if (this.#mayListPods) log.warn(thrown.message, { hint: thrown.hint });
      this.#mayListPods = false;
      return undefined;
    }
  }
}

function failure(id: string, message: string): TrainingStatus {
  return { id, phase: "failed", job: "", message, startedAt: "", endedAt: "" };
}

function isSame(a: TrainingStatus, b: TrainingStatus | undefined): boolean {
  return b !== undefined &&
    Object.entries(a).every(([key, value]) => b[key as keyof TrainingStatus] === value);
}
