import type { RegistryModel, RegistryPort, RolloutDetail, RolloutHead } from "../controller/mod.ts";

const PLAN = { steps: [{ share: 0.05, seconds: 60 }, { share: 0.25, seconds: 60 }] };

/** What the controller sees of a registry, in memory. */
export class FakeRegistryPort implements RegistryPort {
  readonly models = new Map<
    string,
    { aliases: Record<string, string>; tags: Record<string, string> }
  >();
  rollouts: RolloutDetail[] = [];
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Calls so far. */
  calls = 0;
  /** Called before each call does anything. */
  before: (call: string) => void = () => {};

  /** Sets a model's tags and its champion. */
  put(name: string, tags: Record<string, string> = {}, champion = "1"): void {
    this.models.set(name, { aliases: champion === "" ? {} : { champion }, tags });
  }

  listModels(): Promise<readonly RegistryModel[]> {
    return this.#call(
      "listModels",
      () => [...this.models].map(([name, model]) => ({ name, ...structuredClone(model) })),
    );
  }

  listRollouts(): Promise<readonly RolloutHead[]> {
    return this.#call("listRollouts", () => [...this.rollouts]);
  }

  getRollout(id: string): Promise<RolloutDetail> {
    return this.#call("getRollout", () => {
      const found = this.rollouts.find((rollout) => rollout.id === id);
      if (found === undefined) throw new Error(`no rollout ${id}`);
      return structuredClone(found);
    });
  }

  setModelTag(model: string, key: string, value: string): Promise<void> {
    return this.#call("setModelTag", () => {
      this.models.get(model)!.tags[key] = value;
    });
  }

  // deno-lint-ignore require-await
  async #call<T>(name: string, run: () => T): Promise<T> {
    this.calls++;
    this.before(name);
    if (this.failure !== undefined) throw this.failure;
    return run();
  }
}

/** A rollout as the registry tells it; what is not given is of one in its first step. */
export function rolloutDetail(change: Partial<RolloutDetail> & { id: string }): RolloutDetail {
  return {
    model: "iris",
    alias: "champion",
    stable: "1",
    canary: "2",
    phase: "ramp",
    step: 0,
    steps: 2,
    share: 0.05,
    startedAt: Date.UTC(2026, 0, 1) - 60_000,
    endedAt: null,
    canaryRequests: 10,
    evidence: 1.234,
    labelEvidence: 1,
    evidenceNeeded: 200,
    verdict: "serving 5 % (step 1 of 2)",
    plan: PLAN,
    holdReason: null,
    holdAt: null,
    metrics: [{
      metric: "errors",
      canary: { events: 1, trials: 10 },
      stable: { events: 2, trials: 90 },
      ratio: { estimate: 1.8, lower: 1.1, upper: null },
    }],
    ...change,
  };
}
