import type { CommandContext } from "../cli/mod.ts";
import { SerinError } from "../core/mod.ts";
import { openReleaseStore, planObjects, planTokens, type Release } from "../deploy/release/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../kubernetes/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import type { DeployReleaseOptions } from "./deploy_options.ts";
import { planWantedModel, readWantedRelease } from "./deploy_release_request.ts";
import { countActions, planText, type PlanView } from "./deploy_text.ts";

interface Options extends DeployReleaseOptions {
  readonly json: boolean;
}

/** Shows what an apply would change. */
export async function run(options: Options, context: CommandContext): Promise<number> {
  return await withDeployAccess(options, context, (access) => runPlan(options, context, access));
}

/**
 * The same, with a given cluster and registry.
 *
 * @returns the exit code: 1 where an apply would refuse
 */
export async function runPlan(
  options: Options,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { namespace, objects, model } = await readWantedRelease(options, access.cluster);
  const client = await access.cluster();
  const { releases, released } = await readReleases(client, namespace);
  const force = options.forceConflicts;
  const view: PlanView = {
    namespace,
    release: releases[0],
    objects: await planObjects(client, { namespace, objects, released, force }),
    tokens: await planTokens(client, { namespace, objects }),
    model: await planWantedModel(model, () => access.registry(namespace)).catch((thrown) => {
      if (!(thrown instanceof SerinError)) throw thrown;
      const hint = thrown.hint === undefined ? "" : ` (${thrown.hint})`;
      return { problem: thrown.message.replace("Nothing was applied: ", "") + hint };
    }),
  };
  access.progress.end();
  context.print(options.json ? JSON.stringify(planJson(view)) : planText(view));
  const isRefused = view.objects.some(({ action }) => action === "refused");
  return isRefused || (view.model !== undefined && "problem" in view.model) ? 1 : 0;
}

/** A namespace that is still to be made has none. */
async function readReleases(
  client: KubernetesClient,
  namespace: string,
): Promise<{ releases: Release[]; released: KubernetesObject[] }> {
  const store = openReleaseStore(client, namespace);
  return { releases: await store.list(), released: await store.allObjects() };
}

function planJson({ namespace, release, objects, tokens, model }: PlanView): unknown {
  return {
    namespace,
    release: release?.number ?? null,
    makesTokens: tokens.action === "create",
    addsTokens: tokens.action === "change" ? tokens.keys : [],
    objects: objects.map(({ reference, ...rest }) => ({ ...reference, ...rest })),
    counts: countActions(objects),
    model: model ?? null,
  };
}
