import type { AliasChange, RolloutSummary, ServingReplica } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";
import type { ModelRegistry } from "../deploy/release/mod.ts";
import type { FakeClock } from "./fake_clock.ts";

/** A registry in memory, with replicas that follow its champions at once. */
export class FakeModels implements ModelRegistry {
  readonly clock: FakeClock;
  readonly aliases: Record<string, Record<string, string>> = {};
  readonly versions: Record<string, string[]> = {};
  readonly moves: Record<string, AliasChange[]> = {};
  readonly rollouts: RolloutSummary[] = [];
  readonly aborted: string[] = [];
  replicaNames = ["serving-a", "serving-b"];
  /** Why replicas cannot hold a version. */
  errors: Record<string, string> = {};
  /** Versions that no replica gets warm. */
  slow: string[] = [];
  /** Versions that their gate refused, with the reason of whoever let them through. */
  refused: Record<string, string | undefined> = {};

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  register(model: string, ...versions: string[]): void {
    this.aliases[model] ??= {};
    this.versions[model] = versions;
  }

  listModels() {
    const models = Object.entries(this.aliases);
    return Promise.resolve(models.map(([name, aliases]) => ({ name, aliases: { ...aliases } })));
  }

  checkVersion(model: string, version: string) {
    if (this.versions[model]?.includes(version)) return Promise.resolve();
    const what = `There is no version ${version} of ${model}`;
    return Promise.reject(new SerinError("not_found", what));
  }

  findRefusal(_model: string, version: string) {
    const isRefused = version in this.refused && this.refused[version] === undefined;
    return Promise.resolve(
      isRefused ? "it has not passed its gate: auc 0.71 is too low" : undefined,
    );
  }

  letThrough(_model: string, version: string, reason: string) {
    this.refused[version] = reason;
    return Promise.resolve();
  }

  setAlias(model: string, alias: string, version: string) {
    const previous = this.aliases[model][alias] ?? null;
    this.aliases[model][alias] = version;
    if (alias === "challenger") {
      const id = `r${this.rollouts.length + 1}`;
      this.rollouts.unshift(rolloutOf(id, model, this.aliases[model].champion, version));
      return Promise.resolve();
    }
    const time = this.clock.now();
    const move = { alias, version, previous, time, cause: "api", rollout: null };
    this.moves[model] = [move, ...this.moves[model] ?? []];
    return Promise.resolve();
  }

  listReplicas() {
    return Promise.resolve(this.replicaNames.map((replica): ServingReplica => ({
      replica,
      incarnation: "1",
      seenAt: this.clock.now(),
      live: true,
      models: Object.entries(this.aliases).filter(([, { champion }]) => champion !== undefined)
        .map(([model, { champion }]) => ({
          model,
          alias: "champion",
          held: [{
            version: champion,
            warm: this.errors[champion] === undefined && !this.slow.includes(champion),
            ...(this.errors[champion] && { error: this.errors[champion], lasting: true }),
          }],
        })),
    })));
  }

  listRollouts() {
    return Promise.resolve(this.rollouts);
  }

  abortRollout(id: string) {
    this.aborted.push(id);
    return Promise.resolve();
  }

  listChampionMoves(model: string) {
    return Promise.resolve(this.moves[model] ?? []);
  }
}

function rolloutOf(id: string, model: string, stable: string, canary: string): RolloutSummary {
  return {
    ...{
      id,
      model,
      alias: "champion",
      stable,
      canary,
      phase: "ramp",
      step: 0,
      steps: 3,
      share: 0.1,
    },
    ...{ startedAt: 0, endedAt: null, canaryRequests: 12, evidence: 1, labelEvidence: 1 },
    ...{ evidenceNeeded: 200, verdict: "serving 10 %" },
  };
}
