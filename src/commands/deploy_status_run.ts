import type { CommandContext } from "../cli/mod.ts";
import { type DeploymentStatus, readStatus } from "../deploy/release/mod.ts";
import { type DeployAccess, withDeployAccess } from "./deploy_access.ts";
import { DEFAULT_NAMESPACE, type DeployAccessOptions } from "./deploy_options.ts";
import { statusText } from "./deploy_text.ts";

interface Options extends DeployAccessOptions {
  readonly json: boolean;
}

/** Shows how an installation is. */
export async function run(options: Options, context: CommandContext): Promise<number> {
  return await withDeployAccess(options, context, (access) => runStatus(options, context, access));
}

/** The same, with a given cluster and registry. @returns 1 where something is not well */
export async function runStatus(
  options: Options,
  context: Pick<CommandContext, "print">,
  access: DeployAccess,
): Promise<number> {
  const { namespace = DEFAULT_NAMESPACE } = options;
  const client = await access.cluster();
  const open = () => access.registry(namespace);
  const status = await readStatus(client, namespace, open, access.clock.now());
  context.print(options.json ? JSON.stringify(statusJson(status)) : statusText(status));
  return status.problems.length === 0 ? 0 : 1;
}

function statusJson({ release, workloads, autoscalers, ...rest }: DeploymentStatus): unknown {
  return {
    healthy: rest.problems.length === 0,
    release: release ?? null,
    workloads: workloads.map(({ reference, ...one }) => ({ ...reference, ...one })),
    autoscalers: autoscalers.map(({ reference, ...one }) => ({ ...reference, ...one })),
    ...rest,
  };
}
