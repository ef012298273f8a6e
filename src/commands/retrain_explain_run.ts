import { type CommandContext, formatTable } from "../cli/mod.ts";
import type { Retraining } from "../control/mod.ts";
import { formatDuration } from "../core/mod.ts";
import { timeText } from "./retrain_history_run.ts";
import { openRetrainClient, type RetrainAccess } from "./retrain_options.ts";

/** The options of `serin retrain explain`. */
export interface RetrainExplainOptions extends RetrainAccess {
  readonly json: boolean;
}

type Step = NonNullable<Retraining["run"]>["steps"][number];

/** Prints a decision with its brakes, and the steps of its retraining. */
export async function run(
  options: RetrainExplainOptions,
  { print, positionals }: CommandContext,
): Promise<void> {
  const client = await openRetrainClient(options);
  const retraining = await client.get(positionals[0]!);
  if (options.json) print(JSON.stringify(retraining));
  else explanation(retraining).forEach(print);
}

/** @returns lines for people */
export function explanation(retraining: Retraining): string[] {
  const { id, model, decision, reason, alerts, brakes, firstMs, lastMs, times, run } = retraining;
  const again = times > 1 ? `, ${times} times until ${timeText(lastMs)}` : "";
  const lines = [
    `${id}: ${decision} at ${timeText(firstMs)}${again}${model === "" ? "" : `, model ${model}`}`,
    reason,
    "",
    ...formatTable(
      ["alert", "since", "summary"],
      alerts.map(({ name, startsAt, summary }) => [name, startsAt, summary]),
    ).split("\n"),
  ];
  if (brakes.length > 0) {
    const rows = brakes.map((
      { brake, passed, text },
    ) => [brake, passed ? "lets go" : "holds", text]);
    lines.push("", ...formatTable(["brake", "", "what it saw"], rows).split("\n"));
  }
  if (run === undefined) return lines;
  lines.push("", `retraining: ${run.state}${run.reason === "" ? "" : `: ${run.reason}`}`);
  if (run.state === "pending") lines.push(`serin retrain approve ${id} lets it begin`);
  if (run.steps.length > 0) {
    const rows = run.steps.map((step) => [step.step, lastedText(step), factsText(step.facts)]);
    lines.push("", ...formatTable(["step", "took", "what came of it"], rows).split("\n"));
  }
  return lines;
}

function lastedText({ attempts, startedMs, endedMs }: Step): string {
  const took = endedMs === undefined ? "—" : formatDuration(endedMs - startedMs);
  return attempts > 1 ? `${took} (begun ${attempts} times)` : took;
}

function factsText(facts: Step["facts"]): string {
  return Object.entries(facts).filter(([, value]) => value !== "").map(([name, value]) =>
    `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join("; ");
}
