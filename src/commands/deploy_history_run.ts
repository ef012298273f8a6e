import type { CommandContext } from "../cli/mod.ts";
import type { AliasChange } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";
import { type HistoryEntry, mergeHistory, openReleaseStore } from "../deploy/release/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import { DEFAULT_NAMESPACE, type DeployAccessOptions } from "./deploy_options.ts";
import { historyText } from "./deploy_text.ts";

/** Models whose moves are asked for together: a registry may have thousands. */
const MODELS_AT_ONCE = 8;

interface Options extends DeployAccessOptions {
  readonly json: boolean;
}

/** Lists what was deployed. */
export async function run(options: Options, context: CommandContext): Promise<number> {
  return await withDeployAccess(options, context, (access) => runHistory(options, context, access));
}

/**
 * The same, with a given cluster and registry.
 *
 * @returns 1 where the registry could not be asked: then champions are missing
 */
export async function runHistory(
  options: Options,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { namespace = DEFAULT_NAMESPACE } = options;
  const client = await access.cluster();
  const releases = await openReleaseStore(client, namespace).list();
  let moves: ReadonlyMap<string, readonly AliasChange[]> = new Map(), error: string | undefined;
  try {
    moves = await readMoves(access, namespace);
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    error = `champions are missing: ${thrown.message}`;
    access.progress.say(error);
    if (thrown.hint !== undefined) access.progress.say(`hint: ${thrown.hint}`);
  }
  const entries = mergeHistory(releases, moves);
  context.print(
    options.json
      ? JSON.stringify({ namespace, entries: entries.map(entryJson), error: error ?? null })
      : historyText(entries),
  );
  return error === undefined ? 0 : 1;
}

async function readMoves(
  access: DeployAccess,
  namespace: string,
): Promise<Map<string, readonly AliasChange[]>> {
  const registry = await access.registry(namespace);
  const models = await registry.listModels(), moves = new Map<string, readonly AliasChange[]>();
  for (let i = 0; i < models.length; i += MODELS_AT_ONCE) {
    await Promise.all(
      models.slice(i, i + MODELS_AT_ONCE).map(async ({ name }) => {
        moves.set(name, await registry.listChampionMoves(name));
      }),
    );
  }
  return moves;
}

function entryJson(entry: HistoryEntry): unknown {
  if (entry.kind === "champion") {
    const { version, previous, rollout } = entry;
    return {
      ...entry,
      version: version ?? null,
      previous: previous ?? null,
      rollout: rollout ?? null,
    };
  }
  return { kind: entry.kind, ...entry.release, changes: entry.changes ?? null };
}
