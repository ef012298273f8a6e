import type { CommandContext } from "../cli/mod.ts";
import type { ControlClient, RolloutStatus, RolloutSummary } from "../control/mod.ts";
import { didYouMean, SerinError } from "../core/mod.ts";
import { explainRollout } from "./canary_explanation.ts";
import { openRegistryClient } from "./registry_client.ts";

/** Ids that an error names. */
const NAMED_MAX = 8;

/** The options of `serin canary explain`. */
export interface ExplainOptions {
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly model?: string | undefined;
  readonly json: boolean;
}

/** Explains one rollout. To have explained is success, however the rollout ended. */
export async function run(options: ExplainOptions, context: CommandContext): Promise<void> {
  const id = context.positionals[0];
  if (id !== undefined && options.model !== undefined) {
    throw new SerinError("usage", "serin canary explain: ROLLOUT and --model name two rollouts", {
      hint: "give one of them",
    });
  }
  const { control } = await openRegistryClient(options.registry, options);
  const rollout = id === undefined
    ? await findNewest(control, options.model)
    : await findById(control, id);
  if (options.json) {
    context.print(JSON.stringify(rollout));
    return;
  }
  const colours = Deno.stdout.isTerminal() && !Deno.noColor;
  context.print(explainRollout(rollout, { now: Date.now(), colours, columns: columnsOf() }));
}

/**
 * @throws {SerinError} `not_found` with the ids or models that there are
 */
export async function findNewest(
  control: Pick<ControlClient, "listRollouts" | "getRollout">,
  model: string | undefined,
): Promise<RolloutStatus> {
  const all = await control.listRollouts();
  const newest = all.find((rollout) => model === undefined || rollout.model === model);
  if (newest !== undefined) return await control.getRollout(newest.id);
  if (all.length === 0) {
    const what = model === undefined ? "The registry has" : `The model "${model}" has`;
    throw new SerinError("not_found", `${what} no rollout yet`, {
      hint: "setting the alias challenger of a served model begins one",
    });
  }
  const models = [...new Set(all.map((rollout) => rollout.model))];
  throw new SerinError("not_found", `The model "${model}" has no rollout`, {
    hint: didYouMean(model!, models) ?? `these have: ${listed(models)}`,
  });
}

/** @throws {SerinError} `not_found` with the ids that there are */
export async function findById(
  control: Pick<ControlClient, "listRollouts" | "getRollout">,
  id: string,
): Promise<RolloutStatus> {
  try {
    return await control.getRollout(id);
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "not_found") throw thrown;
    // Of a server that has no rollouts at all, this says so better.
    const all = await control.listRollouts();
    throw new SerinError("not_found", `There is no rollout "${id}"`, {
      hint: all.length === 0
        ? "the registry has none yet: setting the alias challenger of a served model begins one"
        : `there are ${listed(all.map(nameOf))}`,
      cause: thrown,
    });
  }
}

function nameOf({ id, model, canary, phase }: RolloutSummary): string {
  return `${id} (${model} version ${canary}, ${phase.replace("_", " ")})`;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function columnsOf(): number {
  try {
    return Math.min(120, Deno.consoleSize().columns);
  } catch {
    return 100;
  }
}
