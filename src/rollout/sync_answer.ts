import { SerinError } from "../core/mod.ts";
import type { Reader } from "../database/mod.ts";
import type { AliasReading } from "./alias_reader.ts";
import { CHALLENGER } from "./catalog.ts";
import { shareOf } from "./rollout_state.ts";
import { readObserved, runningRollouts, type StoredRollout } from "./rollout_store.ts";
import type { Assignment, SyncAnswer, SyncRequest } from "./sync.ts";
import type { TokenKey } from "./token.ts";

const INTERVAL_MS = 1000;
const INTERVAL_ROLLOUT_MS = 500;

type Readings = ReadonlyMap<string, AliasReading>;

/**
 * What a replica is to do. The split is told to each of them, whatever it holds: a replica splits only
 * when it has both versions warm, and one that joins is not ready before. What others hold decides
 * when a share begins and grows, never what it is now: a replica that comes or goes moves nobody's.
 *
 * @throws {SerinError} unavailable when a model's aliases can neither be read nor were seen before
 */
export function answerSync(
  reader: Reader,
  request: SyncRequest,
  { readings, tokenKeys }: { readings: Readings; tokenKeys: TokenKey[] },
): SyncAnswer {
  const running = runningRollouts(reader);
  const models = request.models.map(({ model, alias }) => {
    const aliases = readings.has(model)
      ? readings.get(model)!.aliases
      : rememberedAliases(reader, model, alias);
    const stable = aliases?.[alias] ?? null;
    const rollout = running.find((one) => one.model === model && one.alias === alias);
    const hold = [stable, aliases?.[CHALLENGER], rollout?.stable, rollout?.canary]
      .filter((version): version is string => typeof version === "string");
    const assignment = rollout?.stable === stable ? assignmentOf(rollout) : null;
    return { model, alias, stable, hold: [...new Set(hold)], assignment };
  });
  const asked = new Set(request.models.map(({ model }) => model));
  return {
    acknowledged: request.sequence,
    models,
    tokenKeys,
    intervalMs: running.some(({ model }) => asked.has(model)) ? INTERVAL_ROLLOUT_MS : INTERVAL_MS,
  };
}

/** The aliases as last seen, for a catalog that is out of reach. */
function rememberedAliases(reader: Reader, model: string, alias: string): AliasReading["aliases"] {
  const observed = readObserved(reader, model, alias);
  if (observed === undefined) {
    throw new SerinError("unavailable", `The aliases of "${model}" cannot be read now`);
  }
  const { stable, challenger } = observed;
  return {
    ...(stable === null ? {} : { [alias]: stable }),
    ...(challenger === null ? {} : { [CHALLENGER]: challenger }),
  };
}

function assignmentOf(rollout: StoredRollout): Assignment | null {
  const { id, stable, canary, salt, plan, state } = rollout, share = shareOf(plan, state);
  if (share === 0) return null;
  const { relative, absoluteMs } = plan.latencyTolerance;
  return {
    rollout: id,
    stable,
    canary,
    step: state.step,
    share,
    salt,
    latencyTolerance: { relative, absoluteMs },
  };
}
