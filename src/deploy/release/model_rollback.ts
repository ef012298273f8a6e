import type { AliasChange } from "../../control/mod.ts";
import { SerinError } from "../../core/mod.ts";
import { findModel, waitForReplicas } from "./model_move.ts";
import { CHAMPION, isRunning, type ModelRegistry, type RegisteredModel } from "./model_registry.ts";
import { type Waiting, whileUnavailable } from "./waiting.ts";

/** What a rollback of a model did. */
export interface ModelRollback {
  readonly model: string;
  /** undefined where the model had no champion. */
  readonly from: string | undefined;
  readonly to: string;
  /** Rollouts that were under way and are no more. */
  readonly aborted: readonly string[];
  /** From the command's start until every live replica served it. */
  readonly milliseconds: number;
  readonly end: "healthy" | "interrupted";
}

/**
 * Goes back to the version of a model that was champion before: a rollout of it that is under way is
 * aborted, the alias is moved, every live replica is waited for.
 *
 * @param request.model may be left out where the registry has one model
 * @param request.to a version by number; default: the one before
 * @param request.timeoutMs how long it may take, milliseconds
 * @throws {SerinError} `usage` (which of several models), `not_found` (nothing to go back to),
 *   `timeout` (the alias is moved, not all replicas have followed), `invalid_model`
 */
export async function rollbackModel(
  registry: ModelRegistry,
  request: { model?: string | undefined; to?: string | undefined; timeoutMs: number },
  waiting: Waiting,
): Promise<ModelRollback> {
  const started = waiting.clock.monotonic(), deadline = started + request.timeoutMs;
  // Whoever goes back does so because something is wrong: a moment without the registry is no reason
  // to stop in the middle.
  const surely = <T>(attempt: () => Promise<T>) => whileUnavailable(waiting, deadline, attempt);
  const { name: model, aliases } = chooseModel(
    await surely(() => registry.listModels()),
    request.model,
  );
  const before = aliases[CHAMPION], given = request.to;
  const to = given ?? await surely(() => findTarget(registry, model, before));
  if (given !== undefined) await surely(() => registry.checkVersion(model, given));
  const aborted: string[] = [];
  for (const rollout of await surely(() => registry.listRollouts())) {
    if (rollout.model !== model || !isRunning(rollout)) continue;
    await surely(() => abortOrEnded(registry, rollout.id));
    aborted.push(rollout.id);
  }
  // A rollout may have promoted its canary until it was aborted.
  const from = aborted.length === 0
    ? before
    : findModel(await surely(() => registry.listModels()), model).aliases[CHAMPION];
  if (from !== to) await surely(() => registry.setAlias(model, CHAMPION, to));
  waiting.report.say(
    `${model}: the champion is version ${to}` + (from === undefined ? "" : `, was ${from}`),
  );
  const wanted = { model, version: to, leaving: from };
  const { end, last } = await waitForReplicas(registry, wanted, waiting, deadline);
  const milliseconds = waiting.clock.monotonic() - started;
  if (end === "done" || end === "interrupted") {
    const result = { model, from, to, aborted, milliseconds };
    return { ...result, end: end === "done" ? "healthy" : "interrupted" };
  }
  throw new SerinError(
    end === "timeout" ? "timeout" : "invalid_model",
    `Version ${to} of ${model} is the champion, but not every replica serves it ` +
      `${end === "timeout" ? `after ${request.timeoutMs / 1000} s` : ""}: ${last}`,
    {
      hint: "replicas go on by themselves as soon as they can: `serin deploy status` shows them; " +
        "--to names another version",
    },
  );
}

/**
 * The version to go back to: the last other one that was champion.
 *
 * @param changes moves of the alias, the newest first
 * @param current the champion now
 * @returns candidates, the latest first, each once
 */
export function rollbackCandidates(
  changes: readonly Pick<AliasChange, "version" | "previous">[],
  current: string | undefined,
): string[] {
  const seen = changes.flatMap(({ version, previous }) => [version, previous]);
  const others = seen.filter((version): version is string =>
    version !== null && version !== current
  );
  return [...new Set(others)];
}

async function findTarget(
  registry: ModelRegistry,
  model: string,
  current: string | undefined,
): Promise<string> {
  const candidates = rollbackCandidates(await registry.listChampionMoves(model), current);
  const gone: string[] = [];
  for (const version of candidates) {
    try {
      await registry.checkVersion(model, version);
      return version;
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.retriable) throw thrown;
      gone.push(`version ${version}: ${thrown.message}`);
    }
  }
  const why = current === undefined
    ? "it never had a champion"
    : gone.length === 0
    ? `version ${current} is the only one that was ever champion`
    : `those that were champion cannot be served any more: ${gone.join("; ")}`;
  throw new SerinError("not_found", `Model ${model} has nothing to go back to: ${why}`, {
    hint: "name a version with --to, or train another one; `serin deploy history` shows what was " +
      "champion",
  });
}

function chooseModel(
  models: readonly RegisteredModel[],
  name: string | undefined,
): RegisteredModel {
  if (name !== undefined) return findModel(models, name);
  const names = models.map((model) => model.name);
  if (models.length === 1) return models[0];
  if (models.length === 0) {
    throw new SerinError("not_found", "There is nothing to go back to: no model is registered", {
      hint: "register one with `serin train --register NAME`",
    });
  }
  throw new SerinError(
    "usage",
    `Which model? The registry has ${names.length}: ${names.join(", ")}`,
    {
      hint: `name one, e.g. serin deploy rollback --model ${names[0]}`,
    },
  );
}

/** A rollout may end by itself meanwhile: that is what was wanted. */
async function abortOrEnded(registry: ModelRegistry, id: string): Promise<void> {
  try {
    await registry.abortRollout(id);
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "conflict") throw thrown;
  }
}
