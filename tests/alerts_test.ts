/**
 * The alerts through Prometheus' and Alertmanager's own tools: every rule is read, every case of every
 * alert comes out as it says, and each alert gets to the receiver that it is for.
 */
import { parse } from "yaml";
import { alertGroups, RULE_TIMES, ruleFile, ruleTestFile } from "../src/deploy/monitoring/mod.ts";
import { manifestSettings } from "../src/deploy/mod.ts";
import { formatYaml } from "../src/config/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../src/testing/mod.ts";
import { findAlertmanager, findPrometheus } from "./prometheus/find_prometheus.ts";

const RENDERED = decodeURIComponent(new URL("../manifests/prometheus", import.meta.url).pathname);
const settings = manifestSettings().monitoring;
const alerts = alertGroups({ settings, times: RULE_TIMES }).flatMap(({ alerts }) => alerts);

const prometheus = await findPrometheus();
const alertmanager = await findAlertmanager();
const suffix = (found: object) => "missing" in found ? ` (skipped: ${found.missing})` : "";

Deno.test({
  name: `promtool reads the rules and the scrape configuration${suffix(prometheus)}`,
  ignore: "missing" in prometheus,
  async fn() {
    if ("missing" in prometheus) return;
    const rules = await runTool(prometheus.promtool, ["check", "rules", "rules.yaml"]);
    assertEquals(rules.code, 0, rules.output);
    const config = await runTool(prometheus.promtool, ["check", "config", "prometheus.yaml"]);
    assertEquals(config.code, 0, config.output);
  },
});

Deno.test({
  name: `each alert fires in its cases, and in no near miss${suffix(prometheus)}`,
  ignore: "missing" in prometheus,
  async fn(t) {
    if ("missing" in prometheus) return;
    await t.step("with the default settings", async () => {
      const args = ["test", "rules", "rules_test.yaml"];
      const { code, output } = await runTool(prometheus.promtool, args);
      assertEquals(code, 0, output);
    });
    await t.step("with other objectives and limits", async () => {
      const set = ["latencySeconds=1", "latencyPercent=95", "psiMax=0.1", "modelAgeDaysMax=7"];
      const assignments = set.map((one) => `monitoring.${one}`);
      const other = manifestSettings({ set: assignments }).monitoring;
      const { tests, ...file } = ruleTestFile(other);
      const changed = /LatencyBudgetBurnFast|Drift|ModelStale/;
      const cases = { ...file, tests: tests.filter(({ name }) => changed.test(name)) };
      const { code, output } = await testRules(
        prometheus.promtool,
        ruleFile({ settings: other }),
        cases,
      );
      assertEquals(code, 0, output);
    });
    await t.step("a rule that never fires is found, and one that always does", async () => {
      for (const [with_, complaint] of [["> 1e9", "got:[]"], ["> -1", "exp:[]"]]) {
        const file = structuredClone(ruleFile({ settings }));
        const cases = ruleTestFile(settings);
        const own = cases.tests.filter(({ name }) => name.startsWith("SerinInputUnseen"));
        const text = JSON.stringify(file).replace(
          /(serin_feature_unseen_ratio\)) > [\d.]+/,
          `$1 ${with_}`,
        );
        const broken = await testRules(prometheus.promtool, JSON.parse(text), {
          ...cases,
          tests: own,
        });
        assertEquals(broken.code, 1, broken.output);
        assertIncludes(broken.output.replaceAll(/\s/g, ""), complaint);
      }
    });
  },
});

Deno.test({
  name: `amtool takes every alert to its receivers${suffix(alertmanager)}`,
  ignore: "missing" in alertmanager,
  async fn() {
    if ("missing" in alertmanager) return;
    const check = await runTool(alertmanager.amtool, ["check-config", "alertmanager.yaml"]);
    assertEquals(check.code, 0, check.output);
    const seen = new Set<string>();
    for (const { name, severity, retrain } of alerts) {
      const labels = [`alertname=${name}`, `severity=${severity}`, "model=electricity"];
      const more = retrain ? ["serin_retrain=true"] : [];
      const wanted = retrain ? `retrain,${severity}` : severity;
      if (seen.has(wanted)) continue;
      seen.add(wanted);
      const args = ["config", "routes", "test", "--config.file=alertmanager.yaml"];
      const { code, output } = await runTool(alertmanager.amtool, [
        ...args,
        `--verify.receivers=${wanted}`,
        ...labels,
        ...more,
      ]);
      assertEquals(code, 0, `${name}: ${output}`);
    }
    assertEquals([...seen].toSorted(), ["page", "retrain,ticket", "ticket"]);
  },
});

Deno.test("inhibitions name alerts that there are", async () => {
  const config = parse(await Deno.readTextFile(`${RENDERED}/alertmanager.yaml`));
  const names = new Set<string>(alerts.map(({ name }) => name));
  for (const { source_matchers, target_matchers, equal } of config.inhibit_rules) {
    const matched = [...source_matchers, ...target_matchers].flatMap((matcher: string) =>
      /^alertname=~"(.+)"$/.exec(matcher)![1].split("|")
    );
    assertEquals(matched.filter((name) => !names.has(name)), []);
    assertTrue(equal.includes("namespace"), "another installation inhibits nothing");
  }
});

async function testRules(promtool: string, rules: unknown, cases: unknown) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/rules.yaml`, formatYaml([rules]));
    await Deno.writeTextFile(`${folder}/rules_test.yaml`, formatYaml([cases]));
    return await runTool(promtool, ["test", "rules", "rules_test.yaml"], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runTool(command: string, args: string[], cwd = RENDERED) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}
