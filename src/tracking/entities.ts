/** Whether something is there or was deleted and may be restored. */
export type Stage = "active" | "deleted";

/** Which of the two a search sees. */
export type View = Stage | "all";

/** How a run ended or that it goes on. */
export const RUN_STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] as const;

/** A name of {@linkcode RUN_STATUSES}. */
export type RunStatus = typeof RUN_STATUSES[number];

/** A key and its text. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A group of runs. Times are milliseconds since the epoch. */
export interface Experiment {
  readonly id: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly stage: Stage;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly KeyValue[];
}

/** One point of a metric. */
export interface Metric {
  readonly key: string;
  /** NaN is legal; an infinity is kept as the largest double of its sign. */
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly step: number;
  /** The logged model that it belongs to as well. */
  readonly modelId?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
  /** Set where points of several runs stand together. */
  readonly runId?: string;
}

/** Data that a run read. */
export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string;
  readonly profile?: string;
}

/** A dataset and in what role a run read it. */
export interface DatasetInput {
  readonly dataset: Dataset;
  readonly tags: readonly KeyValue[];
}

/** What a run is, without what it logged. */
export interface RunInfo {
  readonly runId: string;
  readonly name: string;
  readonly experimentId: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
  readonly artifactUri: string;
  readonly stage: Stage;
}

/** A run with what it logged; of each metric the newest point. */
export interface Run extends RunInfo {
  readonly metrics: readonly Metric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly datasets: readonly DatasetInput[];
  readonly modelInputs: readonly { modelId: string }[];
  readonly modelOutputs: readonly { modelId: string; step: number | undefined }[];
}

/** How far a logged model's files have come. */
export const MODEL_STATUSES = ["UNSPECIFIED", "PENDING", "READY", "UPLOAD_FAILED"] as const;

/** A name of {@linkcode MODEL_STATUSES}. */
export type ModelStatus = typeof MODEL_STATUSES[number];

/** A model that a run logged (not yet a version of a registered model). */
export interface LoggedModel {
  /** "m-" and 32 hexadecimal digits. */
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly status: ModelStatus;
  readonly modelType: string;
  readonly sourceRunId: string;
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly metrics: readonly Metric[];
}
