import type { CommandContext } from "../cli/mod.ts";
import { SerinError } from "../core/mod.ts";
import {
  CHALLENGER,
  CHAMPION,
  type ModelMove,
  type ModelRegistry,
  moveChallenger,
  moveChampion,
  planMove,
  type WantedModel,
} from "../deploy/release/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import { INTERRUPTED, waitingOf } from "./deploy_apply_run.ts";
import { DEFAULT_NAMESPACE, type DeployAccessOptions } from "./deploy_options.ts";

/** The options of `serin deploy model`. */
export interface DeployModelOptions extends DeployAccessOptions {
  readonly model: string;
  readonly canary: boolean;
  readonly allowFirst: boolean;
  readonly force?: string | undefined;
  readonly timeoutSeconds: number;
  readonly json: boolean;
}

/** Deploys a version. */
export async function run(options: DeployModelOptions, context: CommandContext): Promise<number> {
  const with_ = (access: DeployAccess) => runDeployModel(options, context, access);
  return await withDeployAccess(options, context, with_);
}

/** The same, with a given registry. @returns the exit code */
export async function runDeployModel(
  options: DeployModelOptions,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { clock, progress } = access;
  const wanted = readWanted(options);
  const deadline = clock.monotonic() + options.timeoutSeconds * 1000;
  const registry = await access.registry(options.namespace ?? DEFAULT_NAMESPACE);
  const canary = wanted.canary && !(options.allowFirst && await isFirst(registry, wanted));
  const move = await planMove(registry, { ...wanted, canary });
  progress.say(`${move.model}: ${move.effect}`);
  const waiting = waitingOf(access);
  let rollout: string | undefined, end: "healthy" | "interrupted" = "healthy";
  if (move.alias === CHALLENGER) {
    rollout = await moveChallenger(registry, move, waiting, deadline);
    if (rollout === undefined) end = "interrupted";
  } else end = await moveChampion(registry, move, waiting, deadline);
  progress.end();
  context.print(
    options.json
      ? JSON.stringify({ ...move, from: move.from ?? null, rollout: rollout ?? null, end })
      : resultText(move, rollout, end),
  );
  return end === "interrupted" ? INTERRUPTED : 0;
}

function readWanted({ model: text, canary, allowFirst, force }: DeployModelOptions): WantedModel {
  const uri = parseModelUri(text);
  if (uri.kind !== "version") {
    throw new SerinError("usage", `--model must be models:/NAME/VERSION: it is "${text}"`, {
      hint: "a deployment moves an alias to one version: name it by its number",
    });
  }
  if (allowFirst && !canary) {
    throw new SerinError("usage", "--allow-first goes with --canary", {
      hint: "without --canary the version becomes champion in any case",
    });
  }
  return { model: uri.model, version: uri.version, canary, force };
}

/** A model that is served by nothing yet, or by the version already (a step that is run again). */
async function isFirst(
  registry: ModelRegistry,
  { model, version }: WantedModel,
): Promise<boolean> {
  const found = (await registry.listModels()).find(({ name }) => name === model);
  const champion = found?.aliases[CHAMPION];
  return found !== undefined && (champion === undefined || champion === version);
}

function resultText(move: ModelMove, rollout: string | undefined, end: string): string {
  const what = `${move.model} version ${move.to}`;
  if (end === "interrupted") {
    return `Interrupted: ${what} is the ${move.alias}; replicas follow by themselves.`;
  }
  if (rollout === undefined) return `${what} is the ${move.alias}, warm in every live replica.`;
  return `${what} is the ${move.alias}: rollout ${rollout} runs; \`serin canary wait ${rollout}\` ` +
    "waits for its end.";
}
