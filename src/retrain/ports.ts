import type { ModelRetraining } from "./retrain_spec.ts";

/** What retraining needs of the registry. */
export interface RetrainRegistry {
  /**
   * @returns labels that were counted of a model, and the versions that its aliases name
   * @throws {SerinError} `unavailable` when out of reach
   */
  look(spec: ModelRetraining): Promise<RegistryLook>;
  /** Lets an alias name a version. */
  setAlias(model: string, alias: string, version: string): Promise<void>;
  /** @returns the number of the newest version; 0 where there is none */
  newestVersion(model: string): Promise<number>;
  /** @returns the version above `after` that the run made; undefined where it made none */
  findVersionOf(model: string, runId: string, after: number): Promise<string | undefined>;
}

/** What the registry says of a model. */
export interface RegistryLook {
  readonly labels: number;
  readonly champion: string | undefined;
  readonly challenger: string | undefined;
}

/** The rows of one retraining. */
export interface CollectedData {
  /** The CSV file, in the run's folder: it does not change any more. */
  readonly path: string;
  readonly rows: number;
  /** Where they came from, for people. */
  readonly source: string;
}

/** Gathers the labelled rows that a model is retrained on. */
export interface DataCollector {
  /** @throws {SerinError} `not_found`, `invalid_data`, `storage` */
  collect(spec: ModelRetraining, path: string): Promise<CollectedData>;
}

/** Rows of a file: from `start` (counted from 0) to before `end`. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** What a training made. */
export interface TrainedVersion {
  readonly version: string;
  readonly runId: string;
  /** Of the training's own test part. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** What a training is told. */
export interface TrainingOptions {
  readonly rows: RowRange;
  /** Of the retraining: the same when it is taken again after a crash. */
  readonly id: string;
  /** The newest version before it was taken first. */
  readonly versionBefore: number;
  /** Folder that the model is also written to; may be there from a training that was cut off. */
  readonly out: string;
}

/** Trains a version and registers it, without any alias. */
export interface RetrainTrainer {
  /** Whether it trains outside this process, whose end then cuts nothing off. */
  readonly isElsewhere: boolean;
  train(
    spec: ModelRetraining,
    data: CollectedData,
    options: TrainingOptions,
  ): Promise<TrainedVersion>;
  /** @returns the run of the model in a folder; undefined where the folder holds none */
  runOf(out: string): Promise<string | undefined>;
  /** Takes back what was asked for and not begun yet: the retraining has failed. */
  withdraw(model: string, id: string): Promise<void>;
}

/** What the gate said. */
export interface GateVerdict {
  readonly outcome: "passed" | "refused" | "undecided";
  /** One sentence with the numbers. */
  readonly verdict: string;
}

/** Judges a version against the champion, and tags it with the result. */
export interface RetrainGate {
  judge(
    spec: ModelRetraining,
    data: CollectedData,
    options: { version: string; rows: RowRange },
  ): Promise<GateVerdict>;
}
