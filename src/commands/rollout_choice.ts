import type { ControlClient, RolloutStatus } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { findById, findNewest } from "./canary_explain_run.ts";

/** How a command line names a rollout: by one of the three, or not at all. */
export interface RolloutChoice {
  readonly id: string | undefined;
  /** The newest of this registered model. */
  readonly model: string | undefined;
  /** The newest of this version, `models:/NAME/VERSION`. */
  readonly canary: string | undefined;
}

/** A version by number. */
export interface NamedVersion {
  readonly model: string;
  readonly version: string;
}

/**
 * Finds the rollout that a command line names; the newest of all where it names none.
 *
 * @returns the rollout, or the version that has none
 * @throws {SerinError} `usage` for two names, `not_found`
 */
export async function chooseRollout(
  command: string,
  control: Pick<ControlClient, "listRollouts" | "getRollout">,
  { id, model, canary }: RolloutChoice,
): Promise<RolloutStatus | NamedVersion> {
  if ([id, model, canary].filter((given) => given !== undefined).length > 1) {
    throw new SerinError(
      "usage",
      `serin ${command}: ROLLOUT, --model and --canary each name a rollout`,
      { hint: "give one of them" },
    );
  }
  if (id !== undefined) return await findById(control, id);
  if (canary === undefined) return await findNewest(control, model);
  const uri = parseModelUri(canary);
  if (uri.kind !== "version") {
    throw new SerinError("usage", `--canary must be models:/NAME/VERSION: it is "${canary}"`, {
      hint: "a rollout is of one version: name it by its number",
    });
  }
  const found = (await control.listRollouts())
    .find((rollout) => rollout.model === uri.model && rollout.canary === uri.version);
  return found === undefined ? uri : await control.getRollout(found.id);
}

/** @returns the error that says that a version has no rollout */
export function noRolloutOf({ model, version }: NamedVersion, champion: string | undefined) {
  const is = champion === undefined ? "none" : `version ${champion}`;
  return new SerinError("not_found", `There is no rollout of ${model} version ${version}`, {
    hint:
      `the champion is ${is}; \`serin deploy model --canary\` or the alias challenger begins a ` +
      "rollout",
  });
}
