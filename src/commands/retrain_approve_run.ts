import type { CommandContext } from "../cli/mod.ts";
import { openRetrainClient, type RetrainAccess } from "./retrain_options.ts";

/** Approves, prints what is under way now. */
export async function run(
  options: RetrainAccess,
  { print, positionals }: CommandContext,
): Promise<void> {
  const client = await openRetrainClient(options);
  const { id, model, run } = await client.approve(positionals[0]!);
  print(`${id}: the retraining of ${model} is ${run?.state ?? "under way"}`);
  print(`serin retrain explain ${id} follows it`);
}
