/**
 * The workflow that `serin init` writes, run command by command against the registry and the serving pods
 * of the cluster: a first version, a second by canary, back. The jobs have the registry's address and
 * token, and no access to the cluster, as on a runner of a CI.
 */
import { assertTrue } from "../../src/testing/mod.ts";
import { MODEL, modelRelease } from "../workflow/model_release.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, type World } from "./world.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Adds a model to the cluster by its repository's workflow; the steady callers must not notice. */
export async function workflowSteps(table: StepTable, world: World): Promise<void> {
  const { cluster, registry } = world;
  const folder = `${world.folder}/workflow`;
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  await Deno.symlink(`${ROOT}serin`, `${folder}/bin/serin`);
  const steps = modelRelease({
    folder,
    bin: `${folder}/bin`,
    registryUrl: registry.url,
    servingUrl: world.servingUrl,
    token: registry.token,
  });
  for (const { name, run } of steps) {
    await table.step(`workflow: ${name}`, async () => {
      const seen = await run();
      assertNoFailure(world);
      return seen;
    });
  }
  await table.step("workflow: the rollout is an object of Kubernetes, too", async () => {
    const { items } = await cluster.get("rollouts.serin.dev");
    const found = items.find(({ spec }: { spec: { model: string } }) => spec.model === MODEL);
    assertTrue(found?.status?.phase === "promoted", JSON.stringify(found?.status));
    return `${found.metadata.name}: ${found.status.verdict}`;
  });
}
