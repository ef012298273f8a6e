/** A registered model, as far as the controller obeys it. */
export interface RegistryModel {
  readonly name: string;
  /** Alias → version. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Where a rollout stands. */
export type RolloutPhase =
  | "warmup"
  | "ramp"
  | "hold"
  | "promoted"
  | "rolled_back"
  | "inconclusive"
  | "superseded"
  | "aborted";

/** A rollout in the registry's list, the newest first; times are milliseconds since the epoch. */
export interface RolloutHead {
  readonly id: string;
  readonly model: string;
  readonly phase: RolloutPhase;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly verdict: string;
}

/** All that the mirror shows of a rollout. */
export interface RolloutDetail extends RolloutHead {
  readonly alias: string;
  readonly stable: string;
  readonly canary: string;
  /** Index of the plan's step. */
  readonly step: number;
  readonly steps: number;
  readonly share: number;
  readonly canaryRequests: number;
  readonly evidence: number;
  readonly labelEvidence: number;
  readonly evidenceNeeded: number;
  readonly plan: Readonly<Record<string, unknown>>;
  readonly holdReason?: string | null;
  readonly holdAt?: number | null;
  /** The shares that it had. */
  readonly history?: readonly { readonly share: number }[];
  readonly metrics: readonly {
    readonly metric: string;
    readonly canary: { readonly events: number; readonly trials: number };
    readonly stable: { readonly events: number; readonly trials: number };
    readonly ratio: {
      readonly estimate: number | null;
      readonly lower: number;
      readonly upper: number | null;
    } | null;
  }[];
}

/** What the controller needs of the registry. Each method throws {SerinError}. */
export interface RegistryPort {
  /** @returns every registered model: all pages, or an error */
  listModels(): Promise<readonly RegistryModel[]>;
  listRollouts(): Promise<readonly RolloutHead[]>;
  getRollout(id: string): Promise<RolloutDetail>;
  setModelTag(model: string, key: string, value: string): Promise<void>;
}

/** @returns whether nothing about the rollout changes any more, unless a person decides it */
export function isEnded(phase: RolloutPhase): boolean {
  return phase !== "warmup" && phase !== "ramp" && phase !== "hold";
}
