/** What must hold for every alert; that it fires when it should is promtool's (tests/alerts_test.ts). */
import { assertEquals, assertIncludes, assertTrue } from "../../testing/mod.ts";
import { manifestSettings } from "../manifests/mod.ts";
import { LATENCY_CHOICES } from "../manifests/settings.ts";
import { LATENCY_BUCKETS } from "../../telemetry/inference_stats.ts";
import { alertGroups } from "./alert_groups.ts";
import { ruleFile } from "./rule_file.ts";
import { RULE_TIMES } from "./rule_options.ts";
import { ruleTestFile } from "./rule_test_file.ts";
import { counter } from "./sample_values.ts";

const settings = manifestSettings().monitoring;
const groups = alertGroups({ settings, times: RULE_TIMES });
const alerts = groups.flatMap(({ alerts }) => alerts);
const rules = ruleFile({ settings }).groups.flatMap(({ rules }) => rules);

/** Functions that Prometheus 2.42 has and 3.x has still; what else looks like a call is an operator. */
const FUNCTIONS = [
  ...["rate", "increase", "changes", "histogram_quantile", "min_over_time", "last_over_time"],
  "time",
];
const OPERATORS = ["by", "on", "and", "or", "unless", "sum", "avg", "max", "count"];

Deno.test("every alert has cases in which it fires, and near misses in which it does not", () => {
  const { tests } = ruleTestFile(settings);
  for (const { name, fires, quiet } of alerts) {
    assertTrue(fires.length > 0 && quiet.length > 0, name);
    const own = tests.filter(({ alert_rule_test: [{ alertname }] }) => alertname === name);
    assertEquals(own.length, fires.length + quiet.length, name);
    for (const { alert_rule_test: [{ exp_alerts }], name: title } of own) {
      assertEquals(exp_alerts.length > 0, title.startsWith(`${name} fires: `), title);
    }
  }
  assertEquals(new Set(alerts.map(({ name }) => name)).size, alerts.length, "names are unique");
});

Deno.test("every alert says who, what to do and where to read on", () => {
  for (const rule of rules) {
    if (!("alert" in rule)) continue;
    const { summary, description, runbook_url } = rule.annotations;
    assertTrue(["page", "ticket"].includes(rule.labels.severity), rule.alert);
    assertIncludes(summary, "{{ $labels.");
    assertTrue(/^[A-Z].{30,250}[.?]$/.test(description), `${rule.alert}: ${description}`);
    assertEquals(runbook_url, `https://serin.dev/docs/runbook/${rule.alert}.md`);
  }
});

Deno.test("queries keep installations apart, and call what Prometheus 2.42 and 3 have", () => {
  for (const rule of rules) {
    const name = "alert" in rule ? rule.alert : rule.record;
    const called = [...rule.expr.matchAll(/([a-z_]+) ?\(/g)].map(([, word]) => word);
    const unknown = called.filter((word) => !FUNCTIONS.includes(word) && !OPERATORS.includes(word));
    assertEquals(unknown, [], name);
    for (const [, labels] of rule.expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
      assertTrue(labels.includes("namespace"), name);
    }
    assertEquals(/[{,( ](version|env|service|host|cluster)[=,)]/.test(rule.expr), false, name);
  }
});

Deno.test("the latency objective is at a bound of the histogram", () => {
  for (const choice of LATENCY_CHOICES) {
    assertTrue(LATENCY_BUCKETS.some((bound) => String(bound) === choice), choice);
  }
});

Deno.test("a counter of several phases never goes back", () => {
  const phases = [{ rate: 3, minutes: 2 }, { rate: 0, minutes: 2 }, { rate: 1, minutes: 2 }];
  assertEquals(counter(phases), "0+3x2 6+0x1 7+1x1");
});
