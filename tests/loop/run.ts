/**
 * The operating loop on real components, locally:
 *
 *     scripts/deno task test:loop
 *
 * A champion serves; at one known request its inputs shift; the drift gauge and the realised error rise;
 * Prometheus fires, Alertmanager's webhook reaches `serin retrain serve`, which trains on the prediction
 * log's fresh rows, gates, and makes a challenger; the registry rolls it out and promotes it; the alert is
 * resolved. Rules and routes are those of every installation, their times shortened. It prints a table
 * "step · seen · seconds"; `--report FILE` writes a JUnit report.
 */
import { toJunit } from "../../scripts/lib/junit.ts";
import { StepTable } from "../cluster/step_table.ts";
import { findAlertmanager, findPrometheus } from "../prometheus/find_prometheus.ts";
import { Loop } from "./loop.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

if (import.meta.main) {
  if (!Deno.env.has("SERIN_BIN")) Deno.env.set("SERIN_BIN", `${ROOT}serin`);
  const table = new StepTable();
  const at = Deno.args.indexOf("--report");
  const report = at < 0 ? undefined : Deno.args[at + 1];
  try {
    await runAll(table);
  } finally {
    if (report !== undefined) await Deno.writeTextFile(report, toJunit(table.cases("loop")));
    console.log(`\n${table}`);
  }
  Deno.exit(table.failed > 0 ? 1 : 0);
}

async function runAll(table: StepTable): Promise<void> {
  const prometheus = await findPrometheus(), alertmanager = await findAlertmanager();
  if ("missing" in prometheus) return table.skip("the operating loop", prometheus.missing);
  if ("missing" in alertmanager) return table.skip("the operating loop", alertmanager.missing);
  const needed = { needed: true };
  let loop: Loop | undefined;
  try {
    await table.step("a champion serves", async () => {
      loop = await Loop.open({ ...prometheus, ...alertmanager });
      return loop.opened;
    }, needed);
    const steps: [string, (loop: Loop) => Promise<string>][] = [
      ["all is well: nobody is told", (one) => one.quiet()],
      ["inputs shift", (one) => one.shift()],
      ["drift gauge", (one) => one.drift()],
      ["realised quality", (one) => one.quality()],
      ["alert", (one) => one.alert()],
      ["webhook", (one) => one.webhook()],
      ["retraining", (one) => one.retraining()],
      ["gate", (one) => one.gate()],
      ["challenger", (one) => one.challenger()],
      ["promotion", (one) => one.promotion()],
      ["alert resolved", (one) => one.resolved()],
    ];
    for (const [name, take] of steps) await table.step(name, () => take(loop!), needed);
    await table.step("in this order", () => loop!.order());
    await table.step("the new champion holds", () => loop!.holds());
    await table.step("no request failed", () => loop!.requests());
  } finally {
    await loop?.[Symbol.asyncDispose]();
  }
}
