import { type CommandContext, openProgress } from "../cli/mod.ts";
import type { ControlClient, RolloutStatus } from "../control/mod.ts";
import { Lifecycle, SerinError, systemClock } from "../core/mod.ts";
import { systemSleep } from "../kubernetes/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { findById, findNewest } from "./canary_explain_run.ts";
import { openRegistryClient } from "./registry_client.ts";
import { exitCodeOfRollout, type RolloutWaiting, waitForRollout } from "./rollout_wait.ts";

/** The exit code of what Ctrl-C ended, as shells have it. */
const INTERRUPTED = 130;
const FAILED = 1;

/** The options of `serin canary wait`. */
export interface WaitOptions {
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly model?: string | undefined;
  readonly canary?: string | undefined;
  readonly timeoutSeconds: number;
  readonly json: boolean;
}

/** What a wait reads of the registry. */
export interface WaitRegistry {
  readonly control: Pick<ControlClient, "listRollouts" | "getRollout">;
  readonly client: { readonly models: Pick<MlflowClient["models"], "findByAlias"> };
}

/** Waits, and prints how it ended. */
export async function run(options: WaitOptions, context: CommandContext): Promise<number> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const progress = openProgress({ interactive: context.interactive });
  try {
    const registry = await openRegistryClient(options.registry, options);
    return await runWait(options, context, registry, {
      clock: systemClock,
      sleep: systemSleep,
      signal: lifecycle.signal,
      progress,
      timeoutMs: options.timeoutSeconds * 1000,
    });
  } finally {
    progress.end();
    await lifecycle.stop();
  }
}

/** The same, with a given registry and clock. @returns the exit code */
export async function runWait(
  options: WaitOptions,
  context: Pick<CommandContext, "positionals" | "print">,
  { control, client }: WaitRegistry,
  waiting: RolloutWaiting,
): Promise<number> {
  const [id] = context.positionals;
  const canary = checkOptions(options, id);
  const first = id !== undefined
    ? await findById(control, id)
    : canary !== undefined
    ? await findOfVersion(control, canary)
    : await findNewest(control, options.model);
  if (first === undefined) return await withoutRollout(canary!, options, context, client);
  const { end, rollout } = await waitForRollout(() => control.getRollout(first.id), waiting);
  if (options.json) context.print(JSON.stringify(rollout));
  else context.print(`${rollout.model} version ${rollout.canary}: ${endText(end, rollout)}`);
  if (end === "interrupted") return INTERRUPTED;
  return exitCodeOfRollout(rollout) ?? FAILED;
}

interface Version {
  readonly model: string;
  readonly version: string;
}

function checkOptions({ model, canary }: WaitOptions, id: string | undefined): Version | undefined {
  if ([id, model, canary].filter((given) => given !== undefined).length > 1) {
    throw new SerinError(
      "usage",
      "serin canary wait: ROLLOUT, --model and --canary each name a rollout",
      { hint: "give one of them" },
    );
  }
  if (canary === undefined) return undefined;
  const uri = parseModelUri(canary);
  if (uri.kind === "version") return uri;
  throw new SerinError("usage", `--canary must be models:/NAME/VERSION: it is "${canary}"`, {
    hint: "a rollout is of one version: name it by its number",
  });
}

async function findOfVersion(
  control: WaitRegistry["control"],
  { model, version }: Version,
): Promise<RolloutStatus | undefined> {
  const found = (await control.listRollouts())
    .find((rollout) => rollout.model === model && rollout.canary === version);
  return found === undefined ? undefined : await control.getRollout(found.id);
}

/** A model's first version is deployed without a rollout: there is nothing to try it against. */
async function withoutRollout(
  { model, version }: Version,
  { json }: WaitOptions,
  { print }: Pick<CommandContext, "print">,
  client: WaitRegistry["client"],
): Promise<number> {
  const champion = await client.models.findByAlias(model, "champion");
  if (champion?.version !== version) {
    throw new SerinError("not_found", `There is no rollout of ${model} version ${version}`, {
      hint: `the champion is ${champion === undefined ? "none" : `version ${champion.version}`}; ` +
        "`serin deploy apply --canary` or the alias challenger begins a rollout",
    });
  }
  print(json ? "null" : `${model} version ${version} is the champion: there is no rollout of it.`);
  return 0;
}

function endText(end: "ended" | "timeout" | "interrupted", rollout: RolloutStatus): string {
  if (end === "ended") return rollout.verdict;
  const why = end === "timeout" ? "time is up" : "interrupted";
  const { id, phase, verdict } = rollout;
  return `${why}, the rollout goes on (${phase}): ${verdict || "no verdict yet"}; ` +
    `\`serin canary explain ${id}\` says where it stands`;
}
