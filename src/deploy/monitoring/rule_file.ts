import { alertGroups } from "./alert_groups.ts";
import { RULE_TIMES, type RuleOptions } from "./rule_options.ts";
import type { Alert, AlertGroup, Recording } from "./rule_shape.ts";

/** An alerting rule as Prometheus reads it. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A file of rules as Prometheus reads it; also the `spec` of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly (Recording | AlertingRule)[];
  }[];
}

/**
 * The rules of an installation.
 *
 * @param options the times are those of {@linkcode RULE_TIMES} unless a test shortens some
 */
export function ruleFile(
  options: Pick<RuleOptions, "settings"> & Partial<Pick<RuleOptions, "times">>,
): RuleFile {
  const { settings, times = RULE_TIMES } = options;
  const groups = alertGroups({ settings, times });
  const rulesOf = ({ recordings, alerts }: AlertGroup) => [
    ...recordings,
    ...alerts.map((alert) => alertingRule(alert, settings.runbookUrl)),
  ];
  return { groups: groups.map((group) => ({ name: group.name, rules: rulesOf(group) })) };
}

function alertingRule(alert: Alert, runbookUrl: string): AlertingRule {
  return {
    alert: alert.name,
    expr: alert.expr,
    for: alert.for,
    labels: alertLabels(alert),
    annotations: alertAnnotations(alert, runbookUrl),
  };
}

/** Labels that an alert has beside those of its expression; Alertmanager's routes go by them. */
export function alertLabels({ severity, retrain }: Alert): Record<string, string> {
  return { severity, ...(retrain ? { serin_retrain: "true" } : {}) };
}

/** What a person is told; templates are Prometheus' own. */
export function alertAnnotations(alert: Alert, runbookUrl: string): Record<string, string> {
  return {
    summary: alert.summary,
    description: alert.action,
    runbook_url: `${runbookUrl}/${alert.name}.md`,
  };
}
