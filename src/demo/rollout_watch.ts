import { SerinError } from "../core/mod.ts";

/** What the demo reads of a rollout's status (`GET /api/serin/v1/rollouts/ID`). */
export interface WatchedRollout {
  readonly id: string;
  readonly phase: string;
  readonly canary: string;
  readonly step: number;
  readonly steps: number;
  readonly share: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly canaryRequests: number;
  readonly evidence: number;
  readonly labelEvidence: number;
  readonly evidenceNeeded: number;
  readonly verdict: string;
  readonly metrics: readonly {
    readonly metric: string;
    readonly ratio: { estimate: number | null; lower: number; upper: number | null } | null;
  }[];
}

/** The registry's API, as far as the demo needs it. */
export class RegistryApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Begins the rollout of a version. */
  startRollout(model: string, challenger: string, plan: unknown): Promise<WatchedRollout> {
    return this.#call("POST", "rollouts", { model, challenger, plan });
  }

  /** @returns the rollout as it stands */
  status(id: string): Promise<WatchedRollout> {
    return this.#call("GET", `rollouts/${id}`);
  }

  /**
   * Waits until the rollout has ended. It is the registry that decides; this only looks.
   *
   * @param onChange called with each status
   * @throws {SerinError} `timeout`
   */
  async waitForEnd(
    id: string,
    onChange: (rollout: WatchedRollout) => void,
    timeoutMs: number,
  ): Promise<WatchedRollout> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const rollout = await this.status(id);
      onChange(rollout);
      if (rollout.endedAt !== null) return rollout;
      if (performance.now() > deadline) {
        throw new SerinError("timeout", `No decision within ${timeoutMs} ms: ${rollout.verdict}`);
      }
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  async #call<T>(method: string, route: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}/api/serin/v1/${route}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = await answer.json();
    if (answer.ok) return json as T;
    throw new SerinError("internal", `${route}: ${answer.status} ${json.error?.message}`);
  }
}
