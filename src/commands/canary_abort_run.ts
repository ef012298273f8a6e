import type { CommandContext } from "../cli/mod.ts";
import type { ControlClient, RolloutStatus } from "../control/mod.ts";
import { openRegistryClient } from "./registry_client.ts";
import { chooseRollout, noRolloutOf } from "./rollout_choice.ts";
import { exitCodeOfRollout } from "./rollout_wait.ts";

/** The options of `serin canary abort`. */
export interface AbortOptions {
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly model?: string | undefined;
  readonly canary?: string | undefined;
  readonly json: boolean;
}

/** Ends a rollout. @returns 0, or 1 where it had ended already */
export async function run(options: AbortOptions, context: CommandContext): Promise<number> {
  const { control, client } = await openRegistryClient(options.registry, options);
  const { model, canary, json } = options, [id] = context.positionals;
  const found = await chooseRollout("canary abort", control, { id, model, canary });
  if (!("id" in found)) {
    const champion = await client.models.findByAlias(found.model, "champion");
    throw noRolloutOf(found, champion?.version);
  }
  const { rollout, hasEnded } = await abortOrTell(control, found);
  if (json) context.print(JSON.stringify(rollout));
  else {
    const what = `rollout ${rollout.id} of ${rollout.model} version ${rollout.canary}`;
    context.print(
      hasEnded
        ? `${what} had ended already: ${rollout.verdict}`
        : `${what} is aborted; version ${rollout.stable} answers all requests.`,
    );
  }
  return hasEnded ? 1 : 0;
}

/**
 * Aborts a rollout unless it has ended; an inconclusive one only waits for this.
 *
 * @returns how it is now, and whether it had ended before
 */
export async function abortOrTell(
  control: Pick<ControlClient, "abortRollout">,
  found: RolloutStatus,
): Promise<{ rollout: RolloutStatus; hasEnded: boolean }> {
  const hasEnded = found.phase !== "inconclusive" && exitCodeOfRollout(found) !== undefined;
  return { rollout: hasEnded ? found : await control.abortRollout(found.id), hasEnded };
}
