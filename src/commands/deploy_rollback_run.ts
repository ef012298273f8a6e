import type { CommandContext } from "../cli/mod.ts";
import { formatDuration, SerinError } from "../core/mod.ts";
import {
  applyRelease,
  askWhoAmI,
  findRollbackRelease,
  type ModelRollback,
  openReleaseStore,
  rollbackModel,
} from "../deploy/release/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import { INTERRUPTED, waitingOf } from "./deploy_apply_run.ts";
import { DEFAULT_NAMESPACE, type DeployAccessOptions } from "./deploy_options.ts";
import { countActions, countsText } from "./deploy_text.ts";

const MODEL_SECONDS = 10;
const RELEASE_SECONDS = 120;

interface Options extends DeployAccessOptions {
  readonly model?: string | undefined;
  readonly to?: string | undefined;
  readonly release: boolean;
  readonly forceConflicts: boolean;
  readonly timeoutSeconds?: number | undefined;
  readonly json: boolean;
}

/** Goes back. */
export async function run(options: Options, context: CommandContext): Promise<number> {
  return await withDeployAccess(
    options,
    context,
    (access) => runRollback(options, context, access),
  );
}

/** The same, with a given cluster and registry. @returns the exit code */
export async function runRollback(
  options: Options,
  context: Pick<CommandContext, "print" | "positionals">,
  access: DeployAccess,
): Promise<number> {
  const number = checkOptions(options, context.positionals[0]);
  return options.release
    ? await toRelease(options, number, context, access)
    : await toVersion(options, context, access);
}

/** @returns the release's number, if one was given */
function checkOptions(options: Options, given: string | undefined): number | undefined {
  const problems: string[] = [];
  const { release, model, to, forceConflicts } = options;
  if (given !== undefined && !/^[1-9]\d{0,8}$/.test(given)) {
    problems.push(`"${given}" is no number of a release`);
  } else if (given !== undefined && !release) {
    problems.push(`"${given}": a release's number goes with --release, a version's with --to`);
  }
  if (release && (model !== undefined || to !== undefined)) {
    problems.push("--release does not go together with --model and --to: they are about a model");
  }
  if (!release && forceConflicts) problems.push("--force-conflicts goes with --release only");
  if (problems.length === 0) return given === undefined ? undefined : Number(given);
  throw new SerinError("usage", problems.join("\n"), {
    hint: "`serin deploy rollback --help` shows its options",
  });
}

async function toVersion(
  options: Options,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { namespace = DEFAULT_NAMESPACE, timeoutSeconds = MODEL_SECONDS } = options;
  const registry = await access.registry(namespace);
  const request = { model: options.model, to: options.to, timeoutMs: timeoutSeconds * 1000 };
  const result = await rollbackModel(registry, request, waitingOf(access));
  access.progress.end();
  const milliseconds = Math.round(result.milliseconds);
  context.print(
    options.json
      ? JSON.stringify({ ...result, from: result.from ?? null, milliseconds })
      : modelText(result),
  );
  return result.end === "interrupted" ? INTERRUPTED : 0;
}

function modelText({ model, from, to, aborted, milliseconds, end }: ModelRollback): string {
  const lines = aborted.map((id) => `Rollout ${id} is aborted.`);
  if (end === "interrupted") {
    lines.push(`Interrupted: version ${to} of ${model} is the champion; replicas go on to it.`);
  } else if (from === to) {
    lines.push(`Version ${to} of ${model} stays champion; every live replica serves it.`);
  } else {
    const was = from === undefined ? "" : `, instead of ${from}`;
    lines.push(
      `Every live replica serves ${model} version ${to}${was}, after ` +
        `${(milliseconds / 1000).toFixed(1)} s.`,
    );
  }
  return lines.join("\n");
}

async function toRelease(
  options: Options,
  number: number | undefined,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { namespace = DEFAULT_NAMESPACE, timeoutSeconds = RELEASE_SECONDS } = options;
  const started = access.clock.monotonic();
  const client = await access.cluster();
  const store = openReleaseStore(client, namespace);
  const target = findRollbackRelease(await store.list(), number);
  const applied = await applyRelease({
    namespace,
    objects: await store.objectsOf(target.number),
    settings: target.settings,
    overlay: target.overlay,
    serinVersion: target.serinVersion,
    by: await askWhoAmI(client),
    cause: `rollback to release ${target.number}`,
    force: options.forceConflicts,
    timeoutMs: timeoutSeconds * 1000,
  }, { ...waitingOf(access), client, random: access.random });
  for (const warning of applied.warnings) access.progress.say(`warning: ${warning}`);
  access.progress.end();
  const milliseconds = access.clock.monotonic() - started, { plan, end } = applied;
  const seconds = formatDuration(milliseconds);
  const went = end === "interrupted"
    ? "Interrupted; it is applied and goes on by itself: `serin deploy status` shows it"
    : `Healthy after ${seconds}: ${countsText(plan, true)}`;
  context.print(
    options.json
      ? JSON.stringify({
        release: applied.number,
        of: target.number,
        end,
        counts: countActions(plan),
        milliseconds: Math.round(milliseconds),
      })
      : `Release ${applied.number} is release ${target.number} again. ${went}.`,
  );
  return end === "interrupted" ? INTERRUPTED : 0;
}
