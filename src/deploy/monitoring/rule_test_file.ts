import { alertGroups } from "./alert_groups.ts";
import { alertAnnotations, alertLabels } from "./rule_file.ts";
import { type AlertSettings, RULE_TIMES } from "./rule_options.ts";
import type { Alert, AlertCase, FiringCase } from "./rule_shape.ts";

/** A file of `promtool test rules`. */
export interface RuleTestFile {
  readonly rule_files: readonly string[];
  readonly evaluation_interval: string;
  readonly tests: readonly {
    readonly name: string;
    readonly interval: string;
    readonly input_series: readonly { readonly series: string; readonly values: string }[];
    readonly alert_rule_test: readonly {
      readonly eval_time: string;
      readonly alertname: string;
      readonly exp_alerts: readonly {
        readonly exp_labels: Readonly<Record<string, string>>;
        readonly exp_annotations: Readonly<Record<string, string>>;
      }[];
    }[];
  }[];
}

/** @returns the proof of every alert: cases in which it fires and near misses in which it does not */
export function ruleTestFile(settings: AlertSettings): RuleTestFile {
  const alerts = alertGroups({ settings, times: RULE_TIMES }).flatMap(({ alerts }) => alerts);
  return {
    rule_files: ["rules.yaml"],
    evaluation_interval: "5m",
    tests: alerts.flatMap((alert) => [
      ...alert.fires.map((one) => testOf(alert, one, "fires", [expected(alert, one, settings)])),
      ...alert.quiet.map((one) => testOf(alert, one, "is quiet", [])),
    ]),
  };
}

type Test = RuleTestFile["tests"][number];

function testOf(
  alert: Alert,
  { name, series, at }: AlertCase,
  does: string,
  exp_alerts: Test["alert_rule_test"][number]["exp_alerts"],
): Test {
  return {
    name: `${alert.name} ${does}: ${name}`,
    interval: "1m",
    input_series: series,
    alert_rule_test: [{ eval_time: at, alertname: alert.name, exp_alerts }],
  };
}

function expected(alert: Alert, { labels, value }: FiringCase, { runbookUrl }: AlertSettings) {
  const annotations = Object.entries(alertAnnotations(alert, runbookUrl));
  return {
    exp_labels: { ...labels, ...alertLabels(alert) },
    exp_annotations: Object.fromEntries(
      annotations.map(([name, text]) => [name, fillIn(text, labels, value)]),
    ),
  };
}

/** What Prometheus makes of a template: labels, and the value as the case says it is written. */
function fillIn(text: string, labels: Readonly<Record<string, string>>, value = ""): string {
  return text.replaceAll(
    /\{\{ \$(?:labels\.(\w+)|value[^}]*) \}\}/g,
    (_, label?: string) => label === undefined ? value : labels[label] ?? "",
  );
}
