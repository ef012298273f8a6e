import type { CommandContext } from "../cli/mod.ts";
import { formatDuration } from "../core/mod.ts";
import {
  type AppliedRelease,
  applyRelease,
  askWhoAmI,
  type ModelMove,
  moveChallenger,
  moveChampion,
} from "../deploy/release/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import type { DeployReleaseOptions } from "./deploy_options.ts";
import {
  planWantedModel,
  readWantedRelease,
  type WantedRelease,
} from "./deploy_release_request.ts";
import { countActions, countsText } from "./deploy_text.ts";

/** The exit code of what Ctrl-C ended, as shells have it. */
export const INTERRUPTED = 130;

interface Options extends DeployReleaseOptions {
  readonly timeoutSeconds: number;
  readonly json: boolean;
}

/** Applies, waits, deploys a version. */
export async function run(options: Options, context: CommandContext): Promise<number> {
  return await withDeployAccess(options, context, (access) => runApply(options, context, access));
}

/** What came of the model. */
interface DeployedModel {
  readonly move: ModelMove;
  readonly rollout: string | undefined;
  readonly end: "healthy" | "interrupted";
}

/** The same, with a given cluster and registry. @returns the exit code */
export async function runApply(
  options: Options,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const started = access.clock.monotonic();
  const wanted = await readWantedRelease(options, access.cluster);
  const client = await access.cluster();
  let move: ModelMove | undefined;
  const applied = await applyRelease({
    ...wanted,
    by: await askWhoAmI(client),
    cause: "apply",
    force: options.forceConflicts,
    timeoutMs: options.timeoutSeconds * 1000,
    beforeWrite: async () => {
      move = await planWantedModel(wanted.model, () => access.registry(wanted.namespace));
    },
  }, { ...waitingOf(access), client, random: access.random });
  const milliseconds = access.clock.monotonic() - started;
  for (const warning of applied.warnings) access.progress.say(`warning: ${warning}`);
  const deadline = started + options.timeoutSeconds * 1000;
  const model = move === undefined || applied.end === "interrupted"
    ? undefined
    : await deployModel(move, wanted, applied, access, deadline);
  access.progress.end();
  context.print(
    options.json
      ? JSON.stringify(resultJson(applied, model, milliseconds))
      : resultText(applied, model, milliseconds),
  );
  const isInterrupted = applied.end === "interrupted" || model?.end === "interrupted";
  return isInterrupted ? INTERRUPTED : 0;
}

/** @returns how a `serin deploy` command waits */
export function waitingOf({ clock, sleep, signal, progress }: DeployAccess) {
  return { clock, sleep, signal, report: progress };
}

async function deployModel(
  move: ModelMove,
  { namespace }: WantedRelease,
  applied: AppliedRelease,
  access: DeployAccess,
  deadline: number,
): Promise<DeployedModel> {
  access.progress.say(`release ${applied.number} is healthy; ${move.model}: ${move.effect}`);
  const registry = await access.registry(namespace);
  const waiting = waitingOf(access);
  if (move.alias !== "challenger") {
    const end = await moveChampion(registry, move, waiting, deadline);
    return { move, rollout: undefined, end };
  }
  const rollout = await moveChallenger(registry, move, waiting, deadline);
  return { move, rollout, end: rollout === undefined ? "interrupted" : "healthy" };
}

function resultText(
  applied: AppliedRelease,
  model: DeployedModel | undefined,
  milliseconds: number,
): string {
  const { number, isNew, plan, end } = applied;
  if (end === "interrupted") {
    return `Interrupted: release ${number} is applied and goes on by itself; ` +
      "`serin deploy status` shows how it is. Nothing was removed, no alias was moved.";
  }
  const lines = [
    `Release ${number} ${isNew ? "is" : "stood already and is"} healthy after ` +
    `${formatDuration(milliseconds)}: ${countsText(plan, true)}`,
  ];
  if (model !== undefined) lines.push(modelText(model));
  return lines.join("\n");
}

function modelText({ move, rollout, end }: DeployedModel): string {
  const what = `${move.model} version ${move.to}`;
  if (end === "interrupted") {
    return `Interrupted: ${what} is the ${move.alias}; replicas follow by themselves.`;
  }
  if (rollout === undefined) return `${what} is the ${move.alias}, warm in every live replica.`;
  return `${what} is the ${move.alias}: rollout ${rollout} runs; \`serin deploy status\` and ` +
    `\`kubectl get rollouts\` follow it, \`serin canary explain ${rollout}\` says why it does what ` +
    "it does.";
}

function resultJson(
  { number, isNew, plan, end, warnings }: AppliedRelease,
  model: DeployedModel | undefined,
  milliseconds: number,
): unknown {
  return {
    release: number,
    isNew,
    end,
    counts: countActions(plan),
    warnings,
    milliseconds: Math.round(milliseconds),
    model: model === undefined
      ? null
      : { ...model.move, rollout: model.rollout ?? null, end: model.end },
  };
}
