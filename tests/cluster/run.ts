/**
 * The whole of a first deployment on a real Kubernetes, from nothing to nothing:
 *
 *     scripts/deno task test:cluster
 *
 * It starts the test cluster (scripts/cluster), or takes the one of KUBECONFIG when
 * SERIN_CLUSTER=existing, and prints a table "step · seen · seconds". Where no cluster can be had it
 * says why in one line, and counts as skipped. `--report FILE` writes a JUnit report, `--keep` leaves
 * the cluster running.
 *
 * What this cluster cannot show is checked by schema and server-side dry run alone: NetworkPolicies are
 * not enforced, there is no custom-metrics API, no KEDA and no Prometheus operator, and one node only.
 */
import { toJunit } from "../../scripts/lib/junit.ts";
import { backupSteps } from "./backup_steps.ts";
import { badInputSteps } from "./bad_input_steps.ts";
import { Cluster, CLUSTER_SCRIPT, run } from "./cluster.ts";
import { autoscale, checkController, checkManifests, deploy } from "./deployment_steps.ts";
import { endingSteps } from "./ending_steps.ts";
import { loopSteps } from "./loop_steps.ts";
import { outageSteps } from "./outage_steps.ts";
import { rolloutSteps } from "./rollout_steps.ts";
import { StepTable } from "./step_table.ts";
import { workflowSteps } from "./workflow_steps.ts";
import type { World } from "./world.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/** `scripts/cluster` says with it that no cluster can be had. */
const NOT_HERE = 3;

if (import.meta.main) {
  const table = new StepTable();
  const at = Deno.args.indexOf("--report");
  const report = at < 0 ? undefined : Deno.args[at + 1];
  try {
    await runAll(table, Deno.args.includes("--keep"));
  } finally {
    if (report !== undefined) {
      await Deno.writeTextFile(report, toJunit(table.cases("cluster")));
    }
    console.log(`\n${table}`);
  }
  Deno.exit(table.failed > 0 ? 1 : 0);
}

async function runAll(table: StepTable, keep: boolean): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "serin-cluster-" });
  let kubeconfig = "";
  const started = await run(CLUSTER_SCRIPT, ["up"]);
  if (started.code === NOT_HERE) {
    table.skip("a deployment on Kubernetes", started.stderr.trim().split("\n").at(-1) ?? "");
    return;
  }
  await table.step("cluster up", () => {
    if (started.code !== 0) throw new Error(started.stderr);
    kubeconfig = started.stdout.trim();
    return Promise.resolve(started.stderr.trim().split("\n").at(-1) ?? "");
  }, { needed: true });
  try {
    const image = `serin:test-${Date.now().toString(36)}`;
    const world = { cluster: new Cluster(kubeconfig), image, folder } as World;
    await table.step("image", () => makeImage(world), { needed: true });
    await checkManifests(table, world);
    await checkController(table, world);
    await deploy(table, world);
    await autoscale(table, world);
    await rolloutSteps(table, world);
    await workflowSteps(table, world);
    await outageSteps(table, world);
    await badInputSteps(table, world);
    await backupSteps(table, world);
    await loopSteps(table.part("loop: "), world);
    await endingSteps(table, world);
  } finally {
    if (!keep) {
      await table.step("cluster down", async () => {
        const { code, stderr } = await run(CLUSTER_SCRIPT, ["down"]);
        if (code !== 0) throw new Error(stderr);
        return "no process, link or mount of it is left";
      }, { always: true });
      await Deno.remove(folder, { recursive: true });
    }
  }
}

async function makeImage({ image, folder }: World): Promise<string> {
  const made = await run(`${ROOT}scripts/image`, [
    "--tag",
    image,
    "--output",
    `${folder}/image.tar`,
  ]);
  if (made.code !== 0) throw new Error(made.stderr);
  const loaded = await run(CLUSTER_SCRIPT, ["load", `${folder}/image.tar`]);
  if (loaded.code !== 0) throw new Error(loaded.stderr);
  return made.stdout.trim();
}
