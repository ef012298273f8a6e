import type { CountLedger, Route } from "../rollout/router/mod.ts";
import type { SyncAnswer } from "../rollout/sync.ts";
import type { HeldVersions } from "./held_versions.ts";

type ModelAnswer = SyncAnswer["models"][number];

const NOTHING: Route = { stable: null, assignment: null, cells: null };

/**
 * A registered model that is followed by alias: turns the registry's answers into the split that data
 * isolates apply, and never names a version that is not warm everywhere.
 */
export class FollowedModel {
  /** What callers say. */
  readonly name: string;
  /** The registered model. */
  readonly model: string;
  readonly alias: string;
  readonly held: HeldVersions;
  readonly #ledger: CountLedger;
  #answer: ModelAnswer | undefined;
  #fellBack = false;
  #joined = false;
  #route = NOTHING;

  constructor(options: {
    name: string;
    model: string;
    alias: string;
    held: HeldVersions;
    ledger: CountLedger;
  }) {
    this.name = options.name;
    this.model = options.model;
    this.alias = options.alias;
    this.held = options.held;
    this.#ledger = options.ledger;
  }

  /** The split as it is applied now. */
  get route(): Route {
    return this.#route;
  }

  /** What the registry said last; undefined before the first answer. */
  get answer(): ModelAnswer | undefined {
    return this.#answer;
  }

  /**
   * Why nobody should be sent here yet; undefined where they may. One that joins waits for everything
   * that requests are split with now, so that the same key gets the same version on every ready
   * replica. One that has joined stays: a canary that it cannot load must not take it away.
   *
   * @param problem why the registry does not answer, if it does not
   */
  waitingFor(problem: string | undefined): string | undefined {
    const answer = this.#answer, { stable } = this.#route;
    if (stable !== null && this.#joined) return undefined;
    if (answer === undefined) {
      return `the registry has not answered yet${problem === undefined ? "" : `: ${problem}`}`;
    }
    if (answer.stable === null) {
      return `the registry has no model of that name, or its alias "${this.alias}" is not set`;
    }
    if (stable === null) return this.#loadingOf(answer.stable);
    return `${this.#loadingOf(answer.assignment!.canary)}, and requests are split with it now`;
  }

  #loadingOf(version: string): string {
    const error = this.held.report().find((one) => one.version === version)?.error;
    return error === undefined
      ? `version ${version} is being loaded`
      : `version ${version} cannot be served: ${error}`;
  }

  /** Takes what the registry says of this model. */
  take(answer: ModelAnswer): void {
    this.#answer = answer;
    this.#fellBack = false;
  }

  /** Gives all traffic to the stable version until the registry says something. */
  fallBack(): void {
    this.#fellBack = true;
  }

  /**
   * Works out the split from the last answer and from what is warm, and then what to load and drop.
   *
   * @param apply sends a new split to the data isolates: before the old version is dropped there
   */
  update(apply: (route: Route) => void): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    const next = this.#next(answer);
    const changed = JSON.stringify(next) !== JSON.stringify(this.#route);
    this.#route = next;
    const isSplit = answer.assignment === null || next.assignment !== null;
    this.#joined ||= next.stable !== null && isSplit;
    if (changed) apply(next);
    this.held.want(answer.hold, versionsOf(next));
  }

  #next({ stable, assignment }: ModelAnswer): Route {
    const warm = (version: string | null) => version !== null && this.held.isWarm(version);
    // The old version serves until the new one is warm, and also when the alias is gone.
    const serving = warm(stable) ? stable : this.#route.stable;
    if (
      this.#fellBack || assignment === null || !warm(assignment.stable) || !warm(assignment.canary)
    ) {
      return { stable: serving, assignment: null, cells: null };
    }
    const { rollout, step } = assignment;
    const cells = {
      stable: this.#ledger.cellOf(rollout, step, "stable"),
      canary: this.#ledger.cellOf(rollout, step, "canary"),
    };
    return { stable: serving, assignment, cells };
  }
}

function versionsOf({ stable, assignment }: Route): Set<string> {
  const versions = [stable, assignment?.stable, assignment?.canary];
  return new Set(versions.filter((version) => typeof version === "string"));
}
