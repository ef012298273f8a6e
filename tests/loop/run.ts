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
import { openLocalCast } from "./local_cast.ts";
import { type LoopCast, Stations } from "./stations.ts";

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
  await using stack = new AsyncDisposableStack();
  let cast: LoopCast | undefined;
  await table.step("a champion serves", async () => {
    const opened = stack.use(await openLocalCast({ ...prometheus, ...alertmanager }));
    cast = opened;
    return opened.opened;
  }, { needed: true });
  await new Stations(cast!).run(table);
}
