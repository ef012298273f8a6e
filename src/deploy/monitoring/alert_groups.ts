import type { RuleOptions } from "./rule_options.ts";
import type { AlertGroup } from "./rule_shape.ts";
import { driftGroup } from "./rules/drift_rules.ts";
import { operationGroup } from "./rules/operation_rules.ts";
import { qualityGroup } from "./rules/quality_rules.ts";
import { rolloutGroup } from "./rules/rollout_rules.ts";
import { servingGroup } from "./rules/serving_rules.ts";
import { sloGroup } from "./rules/slo_rules.ts";

/** @returns every group of serin's alerts */
export function alertGroups(options: RuleOptions): readonly AlertGroup[] {
  return [
    sloGroup(options),
    servingGroup(options),
    qualityGroup(options),
    driftGroup(options),
    rolloutGroup(),
    operationGroup(options),
  ];
}
