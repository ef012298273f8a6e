import { z } from "zod";
import { type KubernetesOptions, kubernetesOptions } from "./kubernetes_options.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** Where serin is installed if nothing else is said. */
export const DEFAULT_NAMESPACE = "serin";

/** What every `serin deploy` command says of the cluster and of the registry in it. */
export const deployAccessOptions = {
  ...kubernetesOptions,
  namespace: z.string().min(1).max(63).optional().meta({
    description: `Namespace of the installation (default: ${DEFAULT_NAMESPACE})`,
    placeholder: "NAME",
  }),
  registry: z.string().min(1).optional().meta({
    description: "The registry's address (default: through the API server, with the admin's " +
      "token of the Secret serin-tokens)",
    placeholder: "URL",
    env: "SERIN_REGISTRY",
  }),
  registryTokenFile,
  registryToken,
} as const;

/** What `plan` and `apply` apply. */
export const deployReleaseOptions = {
  overlay: z.enum(["base", "dev", "production"]).optional().meta({
    description: "Which installation (default: base)",
  }),
  keepSettings: z.boolean().default(false).meta({
    description: "Start from the settings of the newest healthy release, not from an overlay's",
  }),
  set: z.array(z.string().min(1)).default([]).meta({
    description: "A setting, above the overlay's own, e.g. serving.replicasMax=10",
    placeholder: "KEY=VALUE",
  }),
  model: z.string().min(1).optional().meta({
    description: "A version to deploy: it becomes champion, or challenger with --canary",
    placeholder: "models:/NAME/VERSION",
  }),
  canary: z.boolean().default(false).meta({
    description: "Try the version as a canary: a rollout gives it traffic by and by",
  }),
  force: z.string().min(1).max(1000).optional().meta({
    description: "Deploy a version that its gate has not passed; the reason is recorded on it",
    placeholder: "REASON",
  }),
  forceConflicts: z.boolean().default(false).meta({
    description: "Take over fields that others manage",
  }),
} as const;

/** `--json` */
export const json = z.boolean().default(false).meta({ description: "Print one JSON document" });

/** {@linkcode deployAccessOptions}, parsed. */
export interface DeployAccessOptions extends KubernetesOptions {
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
}

/** {@linkcode deployReleaseOptions}, parsed. */
export interface DeployReleaseOptions extends DeployAccessOptions {
  readonly overlay?: "base" | "dev" | "production" | undefined;
  readonly keepSettings?: boolean;
  readonly set: readonly string[];
  readonly model?: string | undefined;
  readonly canary: boolean;
  readonly force?: string | undefined;
  readonly forceConflicts: boolean;
}
