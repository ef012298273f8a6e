import type { AliasChange, RolloutSummary, ServingReplica } from "../../control/mod.ts";

/** The alias that replicas serve a model by. */
export const CHAMPION = "champion";

/** The alias of a version that is being tried. */
export const CHALLENGER = "challenger";

/** A registered model. */
export interface RegisteredModel {
  readonly name: string;
  /** Version by alias. */
  readonly aliases: Readonly<Record<string, string>>;
}

/**
 * What a deployment needs of the registry; commands join it out of the clients of MLflow's and serin's
 * own API. Every method throws {SerinError} `unavailable` where the registry is out of reach.
 */
export interface ModelRegistry {
  listModels(): Promise<RegisteredModel[]>;
  /**
   * Looks whether a version can be served: it is there, and so are its files.
   *
   * @throws {SerinError} `not_found` that says what is missing
   */
  checkVersion(model: string, version: string): Promise<void>;
  /** @returns why a version may not be deployed (its gate said no), or undefined */
  findRefusal(model: string, version: string): Promise<string | undefined>;
  /** Records on the version that a person let it through, and why. */
  letThrough(model: string, version: string, reason: string): Promise<void>;
  setAlias(model: string, alias: string, version: string): Promise<void>;
  listReplicas(): Promise<ServingReplica[]>;
  /** @returns the newest first */
  listRollouts(): Promise<RolloutSummary[]>;
  abortRollout(id: string): Promise<void>;
  /** @returns moves of the alias champion, the newest first */
  listChampionMoves(model: string): Promise<AliasChange[]>;
}

const ENDS: ReadonlySet<string> = new Set([
  "promoted",
  "rolled_back",
  "inconclusive",
  "superseded",
  "aborted",
]);

/** @returns whether a rollout still gives traffic to its canary */
export function isRunning(rollout: Pick<RolloutSummary, "phase">): boolean {
  return !ENDS.has(rollout.phase);
}
