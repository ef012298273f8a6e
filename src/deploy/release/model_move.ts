import type { ServingReplica } from "../../control/mod.ts";
import { didYouMean, messageOf, SerinError } from "../../core/mod.ts";
import {
  CHALLENGER,
  CHAMPION,
  isRunning,
  type ModelRegistry,
  type RegisteredModel,
} from "./model_registry.ts";
import { type WaitEnd, waitFor, type Waiting, whileUnavailable } from "./waiting.ts";
import type { Health } from "./workload_health.ts";

const LOOK_MS = 250;

/** A version and the alias that it shall have. */
export interface WantedModel {
  readonly model: string;
  readonly version: string;
  /** As a challenger of the champion, to which traffic goes by and by. */
  readonly canary: boolean;
  /** Why it is deployed although its gate has not passed it; recorded on the version. */
  readonly force?: string | undefined;
}

/** What a move of an alias would do. */
export interface ModelMove {
  readonly model: string;
  readonly alias: string;
  /** undefined where nothing has the alias. */
  readonly from: string | undefined;
  readonly to: string;
  /** One sentence. */
  readonly effect: string;
  /** Rollouts under way that it ends. */
  readonly ends: readonly string[];
  /** Why a version that its gate has not passed is deployed all the same. */
  readonly forced?: string;
}

/**
 * Works out what deploying a version would do, and whether it can be done; changes nothing.
 *
 * @throws {SerinError} `not_found` (no such model or version, or files are missing), `invalid_input` (a
 *   canary without a champion, or the champion as its own canary), `refused` (its gate has not passed
 *   it), `unavailable`
 */
export async function planMove(
  registry: ModelRegistry,
  wanted: WantedModel,
): Promise<ModelMove> {
  const { model, version } = wanted;
  const { aliases } = findModel(await registry.listModels(), model);
  await registry.checkVersion(model, version);
  const forced = await checkGate(registry, wanted);
  const move = await planAlias(registry, wanted, aliases);
  return forced === undefined ? move : { ...move, forced };
}

/** @returns the reason of the person who lets it through, where one has to */
async function checkGate(
  registry: ModelRegistry,
  { model, version, force }: WantedModel,
): Promise<string | undefined> {
  const refusal = await registry.findRefusal(model, version);
  if (refusal === undefined || force !== undefined) {
    return refusal === undefined ? undefined : force;
  }
  throw new SerinError(
    "refused",
    `Version ${version} of ${model} may not be deployed: ${refusal}`,
    {
      hint: "--force REASON deploys it all the same, and records the reason on the version",
    },
  );
}

async function planAlias(
  registry: ModelRegistry,
  { model, version, canary }: WantedModel,
  aliases: Readonly<Record<string, string>>,
): Promise<ModelMove> {
  const champion = aliases[CHAMPION], alias = canary ? CHALLENGER : CHAMPION;
  const rollouts = (await registry.listRollouts()).filter((rollout) => rollout.model === model);
  const running = rollouts.filter(isRunning);
  const ends = running.filter((rollout) => !canary || rollout.canary !== version)
    .map(({ id }) => id);
  const move = { model, alias, from: aliases[alias], to: version };
  if (!canary) {
    if (champion === version) {
      return { ...move, ends: [], effect: `version ${version} is the champion already` };
    }
    const effect = champion === undefined
      ? `replicas begin to serve version ${version}`
      : `replicas change from version ${champion} to ${version}`;
    return { ...move, ends, effect };
  }
  if (champion === undefined) {
    throw new SerinError(
      "invalid_input",
      `Model ${model} has no champion to try a canary against`,
      {
        hint: "deploy its first version without --canary",
      },
    );
  }
  if (champion === version) {
    throw new SerinError("invalid_input", `Version ${version} of ${model} is the champion itself`, {
      hint: "name another version, or leave --canary out",
    });
  }
  const known = running.find((rollout) => rollout.canary === version);
  const waits = rollouts.find(({ phase }) => phase === "inconclusive");
  if (known === undefined && waits?.canary === version && aliases[CHALLENGER] === version) {
    throw new SerinError(
      "conflict",
      `Version ${version} of ${model} is the challenger already: its rollout ${waits.id} is ` +
        `inconclusive and waits for a person`,
      {
        hint: `\`serin canary abort ${waits.id}\` ends it, then it may be tried anew; without ` +
          "--canary the version becomes champion",
      },
    );
  }
  const effect = known === undefined
    ? `a rollout of version ${version} against ${champion} begins`
    : `rollout ${known.id} of version ${version} against ${champion} runs already`;
  return { ...move, ends, effect };
}

/**
 * Makes a version the champion and waits until every live replica has it warm. A version that a replica
 * cannot run is taken back at once.
 *
 * @throws {SerinError} `invalid_model` (taken back), `timeout` (the alias is moved, not all replicas have
 *   followed)
 */
export async function moveChampion(
  registry: ModelRegistry,
  move: ModelMove,
  waiting: Waiting,
  deadline: number,
): Promise<"healthy" | "interrupted"> {
  const { model, to, from } = move;
  await recordForce(registry, move);
  const setAlias = (version: string) =>
    whileUnavailable(waiting, deadline, () => registry.setAlias(model, CHAMPION, version));
  if (from !== to) await setAlias(to);
  const wanted = { model, version: to, leaving: from };
  const { end, last } = await waitForReplicas(registry, wanted, waiting, deadline);
  if (end === "done") return "healthy";
  if (end === "interrupted") return "interrupted";
  if (end === "failed" && from !== undefined && from !== to) {
    const what = `Version ${to} of ${model} cannot be served: ${last}`;
    throw await takeBack(registry, { model, to, from, what, setAlias });
  }
  throw new SerinError(
    end === "failed" ? "invalid_model" : "timeout",
    `Version ${to} of ${model} is the champion, but not every replica serves it: ${last}`,
    {
      hint: from === undefined || from === to
        ? "look at the replicas' logs; `serin deploy status` shows how they go on"
        : `replicas that have not followed serve version ${from}; ` +
          `\`serin deploy rollback --model ${model}\` goes back to it`,
    },
  );
}

/** @returns the error that says what the champion is then; a champion that others set stays */
async function takeBack(
  registry: ModelRegistry,
  { model, to, from, what, setAlias }: {
    readonly model: string;
    readonly to: string;
    readonly from: string;
    readonly what: string;
    readonly setAlias: (version: string) => Promise<void>;
  },
): Promise<SerinError> {
  try {
    const now = findModel(await registry.listModels(), model).aliases[CHAMPION];
    if (now === to) await setAlias(from);
    return new SerinError("invalid_model", what, {
      hint: now === to
        ? `the champion is version ${from} again, which was served all the time`
        : `the champion is ${
          now === undefined ? "none" : `version ${now}`
        }: another set it meanwhile`,
    });
  } catch (cause) {
    const why = `; it is the champion still, for going back failed: ${messageOf(cause)}`;
    return new SerinError("invalid_model", what + why, {
      hint:
        `\`serin deploy rollback --model ${model}\` goes back to version ${from}, which is served`,
      cause,
    });
  }
}

/**
 * Makes a version the challenger and waits until its rollout has begun.
 *
 * @returns the rollout's id, or undefined where the wait was interrupted
 * @throws {SerinError} `timeout` where no rollout began
 */
export async function moveChallenger(
  registry: ModelRegistry,
  move: ModelMove,
  waiting: Waiting,
  deadline: number,
): Promise<string | undefined> {
  const { model, to, from } = move;
  await recordForce(registry, move);
  if (from !== to) {
    await whileUnavailable(waiting, deadline, () => registry.setAlias(model, CHALLENGER, to));
  }
  let id: string | undefined;
  const end = await waitFor(waiting, deadline, LOOK_MS, async () => {
    const rollouts = await whileUnavailable(waiting, deadline, () => registry.listRollouts());
    id = rollouts.find((rollout) =>
      rollout.model === model && rollout.canary === to && isRunning(rollout)
    )?.id;
    if (id !== undefined) return "done";
    waiting.report.update(`waiting for the rollout of ${model} version ${to}`);
    return "waiting";
  });
  if (end === "done" || end === "interrupted") return id;
  throw new SerinError(
    "timeout",
    `Version ${to} of ${model} is the challenger, but no rollout began`,
    {
      hint: "a rollout begins when a replica of `serin serve` follows the model's champion: see " +
        "`serin deploy status`",
    },
  );
}

/** The reason is on the version before the alias is: the registry, too, asks for it. */
async function recordForce(
  registry: ModelRegistry,
  { model, to, forced }: ModelMove,
): Promise<void> {
  if (forced !== undefined) await registry.letThrough(model, to, forced);
}

/** The version that every replica shall serve. */
export interface WantedVersion {
  readonly model: string;
  readonly version: string;
  /** The one before: a replica that still holds it has not changed over yet. */
  readonly leaving?: string | undefined;
}

/**
 * Waits until every live replica serves a version of a model.
 *
 * @returns how it ended, and what was seen last
 */
export async function waitForReplicas(
  registry: ModelRegistry,
  wanted: WantedVersion,
  waiting: Waiting,
  deadline: number,
): Promise<{ end: WaitEnd; last: string }> {
  let last = "nothing was seen yet";
  const end = await waitFor(waiting, deadline, LOOK_MS, async () => {
    try {
      const health = replicasHealth(await registry.listReplicas(), wanted);
      last = health.message;
      if (health.state === "healthy") return "done";
      waiting.report.update(`${wanted.model} version ${wanted.version}: ${last}`);
      return health.state === "failed" ? "failed" : "waiting";
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || !thrown.retriable) throw thrown;
      last = messageOf(thrown);
      waiting.report.update(last);
      return "waiting";
    }
  });
  return { end, last };
}

/**
 * Whether every live replica serves a version: it has it warm, and no longer holds the one before
 * (a replica changes over, and only then drops the other). Where the model has been served before, a
 * replica that does not follow it at all is of another Deployment.
 */
export function replicasHealth(
  replicas: readonly ServingReplica[],
  { model, version, leaving }: WantedVersion,
): Health {
  const everyLive = replicas.filter((replica) => replica.live);
  const following = everyLive.filter(({ models }) =>
    models.some((one) => one.model === model && one.alias === CHAMPION)
  );
  const live = leaving === undefined || following.length === 0 ? everyLive : following;
  if (live.length === 0) return { state: "progressing", message: "no replica is live" };
  const missing: string[] = [];
  for (const { replica, models } of live) {
    const served = models.find((one) => one.model === model && one.alias === CHAMPION);
    const held = served?.held.find((one) => one.version === version);
    if (held?.error !== undefined && held.lasting === true) {
      return { state: "failed", message: `replica ${replica}: ${held.error}` };
    }
    const isLeaving = leaving !== version &&
      served?.held.some((one) => one.version === leaving) === true;
    if (served === undefined) missing.push(`${replica} does not serve the model yet`);
    else if (held?.warm !== true) missing.push(`${replica} ${held?.error ?? "is loading it"}`);
    else if (isLeaving) missing.push(`${replica} still has version ${leaving}`);
  }
  const served = live.length - missing.length;
  if (missing.length === 0) {
    return { state: "healthy", message: `served by all ${served} replicas` };
  }
  return {
    state: "progressing",
    message: `served by ${served} of ${live.length} replicas: ${missing.join(", ")}`,
  };
}

/** @throws {SerinError} `not_found` that says which there are */
export function findModel(
  models: readonly RegisteredModel[],
  name: string,
): RegisteredModel {
  const found = models.find((model) => model.name === name);
  if (found !== undefined) return found;
  const names = models.map((model) => model.name);
  throw new SerinError("not_found", `There is no registered model "${name}"`, {
    hint: didYouMean(name, names) ??
      (names.length === 0 ? "the registry has none yet" : `there are ${names.join(", ")}`),
  });
}
