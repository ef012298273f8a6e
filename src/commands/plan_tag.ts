import { type Log, messageOf } from "../core/mod.ts";
import { DEFAULT_PLAN, type RolloutPlan, rolloutPlanSchema } from "../rollout/mod.ts";

/** A registered model's tag that holds the plan of its rollouts, as JSON. */
export const PLAN_TAG = "serin.rollout_plan";

/**
 * @param tags of the registered model
 * @returns the plan of its rollouts; the default one where the tag is missing or no plan, which is told
 */
export function planOfTags(
  model: string,
  tags: readonly { key: string; value: string }[],
  log: Log,
): RolloutPlan {
  const tag = tags.find(({ key }) => key === PLAN_TAG);
  if (tag === undefined) return DEFAULT_PLAN;
  try {
    return rolloutPlanSchema.parse(JSON.parse(tag.value));
  } catch (thrown) {
    log.warn(`the tag ${PLAN_TAG} is no plan: the default plan is used`, {
      model,
      error: messageOf(thrown),
    });
    return DEFAULT_PLAN;
  }
}
