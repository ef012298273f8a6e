import { type CommandContext, formatTable } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { didYouMean, formatDuration, SerinError } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { type RolloutPlan, rolloutPlanSchema } from "../rollout/mod.ts";
import { readConfigFile } from "./config_file.ts";
import { PLAN_TAG } from "./plan_tag.ts";
import { openRegistryClient } from "./registry_client.ts";

/** What others call the settings; for "did you mean" only. */
const PLAN_SYNONYMS: Readonly<Record<string, string>> = {
  stages: "steps",
  weight: "share",
  percent: "share",
  traffic: "share",
  duration: "seconds",
  warmup: "warmupSeconds",
  warmup_seconds: "warmupSeconds",
  hold_seconds: "holdSeconds",
  timeout: "holdSeconds",
  canary_requests_min: "canaryRequestsMin",
  min_requests: "canaryRequestsMin",
};

/** The options of `serin canary plan`. */
export interface PlanOptions {
  readonly file: string;
  readonly model?: string | undefined;
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly json: boolean;
}

/** Checks the plan, sets the tag, prints the plan. */
export async function run(options: PlanOptions, context: CommandContext): Promise<void> {
  const { file, model } = options;
  const text = await readConfigFile("--file", file);
  const plan = parseYamlConfig(text, rolloutPlanSchema, { source: file, synonyms: PLAN_SYNONYMS });
  if (model !== undefined) {
    const { client } = await openRegistryClient(options.registry, options);
    await setPlan(client, model, plan);
  }
  if (options.json) context.print(JSON.stringify(plan));
  else printPlan(plan, model, context);
}

async function setPlan(client: MlflowClient, model: string, plan: RolloutPlan): Promise<void> {
  try {
    await client.models.setTag(model, PLAN_TAG, JSON.stringify(plan));
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "not_found") throw thrown;
    const names = (await client.models.list()).map(({ name }) => name);
    throw new SerinError("not_found", `There is no registered model "${model}"`, {
      hint: didYouMean(model, names) ??
        (names.length === 0 ? "the registry has none yet" : `there are ${names.join(", ")}`),
      cause: thrown,
    });
  }
}

function printPlan(
  plan: RolloutPlan,
  model: string | undefined,
  { print }: Pick<CommandContext, "print">,
): void {
  const time = (seconds: number) => formatDuration(seconds * 1000);
  const rows = plan.steps.map(({ share, seconds }, step) => [
    String(step + 1),
    `${Number((100 * share).toPrecision(4))} %`,
    time(seconds),
  ]);
  print(formatTable(["step", "share", "at least"], rows));
  const { margins: { errorRatio, latencyRatio, labelRatio }, canaryRequestsMin: requests } = plan;
  print("");
  print(`warm-up ${time(plan.warmupSeconds)}, ${requests} canary requests a step at least`);
  print(
    `promoted when not worse by more than × ${errorRatio} (errors), × ${latencyRatio} (slow ` +
      `requests), × ${labelRatio} (wrong labels; ${plan.labels.replace("_", " ")})`,
  );
  print(`what is missing is waited for ${time(plan.holdSeconds)}`);
  print("");
  print(
    model === undefined
      ? "The plan is in order; --model NAME sets it."
      : `It is the plan of ${model}'s next rollout (tag ${PLAN_TAG}).`,
  );
}
