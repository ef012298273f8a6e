import { type CommandContext, formatTable } from "../cli/mod.ts";
import type { Retraining } from "../control/mod.ts";
import { openRetrainClient, type RetrainAccess } from "./retrain_options.ts";

/** The options of `serin retrain history`. */
export interface RetrainHistoryOptions extends RetrainAccess {
  readonly model?: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

/** Prints decisions, the newest first. */
export async function run(
  options: RetrainHistoryOptions,
  { print }: CommandContext,
): Promise<void> {
  const client = await openRetrainClient(options);
  const retrainings = await client.list(options);
  if (options.json) return print(JSON.stringify({ retrainings }));
  if (retrainings.length === 0) return print("No alert has come yet.");
  print(formatTable(["id", "last", "model", "alerts", "decision", "state", "why"], [
    ...retrainings.map(rowOf),
  ]));
}

function rowOf(retraining: Retraining): string[] {
  const { id, model, decision, reason, alerts, lastMs, times, run } = retraining;
  const names = [...new Set(alerts.map(({ name }) => name))].join(", ");
  const why = run === undefined || run.reason === "" ? reason : run.reason;
  return [
    ...[id, timeText(lastMs), model === "" ? "—" : model],
    ...[names, times > 1 ? `${decision} (${times} times)` : decision, run?.state ?? "—", why],
  ];
}

/** @returns e.g. "2026-11-24 10:00:00Z" */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
