import { type CommandContext, openProgress } from "../cli/mod.ts";
import type { ControlClient, RolloutStatus } from "../control/mod.ts";
import { Lifecycle, systemClock } from "../core/mod.ts";
import { systemSleep } from "../kubernetes/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { openRegistryClient } from "./registry_client.ts";
import { chooseRollout, type NamedVersion, noRolloutOf } from "./rollout_choice.ts";
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
  const { model, canary } = options, [id] = context.positionals;
  const first = await chooseRollout("canary wait", control, { id, model, canary });
  if (!("id" in first)) return await withoutRollout(first, options, context, client);
  const { end, rollout } = await waitForRollout(() => control.getRollout(first.id), waiting);
  if (options.json) context.print(JSON.stringify(rollout));
  else context.print(`${rollout.model} version ${rollout.canary}: ${endText(end, rollout)}`);
  if (end === "interrupted") return INTERRUPTED;
  return exitCodeOfRollout(rollout) ?? FAILED;
}

/** A model's first version is deployed without a rollout: there is nothing to try it against. */
async function withoutRollout(
  named: NamedVersion,
  { json }: WaitOptions,
  { print }: Pick<CommandContext, "print">,
  client: WaitRegistry["client"],
): Promise<number> {
  const { model, version } = named;
  const champion = await client.models.findByAlias(model, "champion");
  if (champion?.version !== version) throw noRolloutOf(named, champion?.version);
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
