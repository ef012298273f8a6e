import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { kubernetesOptions } from "./kubernetes_options.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin controller` */
export const controllerCommand = defineCommand({
  name: "controller",
  summary: "Make Kubernetes look like the registry's state",
  description:
    "Looks at the registry about once a second and keeps in Kubernetes: a Rollout object a rollout, " +
    "with its events; the arguments of Deployments that are annotated `serin.dev/models: registry`, " +
    "so that they serve every model with the alias champion (tag serin.serving names another " +
    "Deployment, or none); a training Job for each tag serin.training_request, by the CronJob " +
    "serin-train. While the registry is out of reach nothing is changed. Of several controllers one " +
    "leads and the others wait.",
  options: z.strictObject({
    registry: z.string().min(1).meta({
      description: "serin registry",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    deployment: z.string().min(1).max(253).default("serin-serving").meta({
      description: "Deployment that serves the models whose tags name no other",
      placeholder: "NAME",
    }),
    host: z.string().min(1).default("127.0.0.1").meta({
      description: "Address of /livez, /readyz and /metrics",
      placeholder: "H",
    }),
    port: z.int().min(0).max(65535).default(8082).meta({
      description: "Port of /livez, /readyz and /metrics, 0 for any",
      placeholder: "P",
    }),
    intervalSeconds: z.number().min(0.2).max(60).default(1).meta({
      description: "Time between two looks at the registry",
      placeholder: "S",
    }),
    identity: z.string().min(1).max(100).default("controller").meta({
      description: "What the Lease calls this process; a random part is added",
      placeholder: "NAME",
      env: "HOSTNAME",
    }),
    ...kubernetesOptions,
  }),
  // The YAML parser reads LOG_TOKENS of the environment.
  permissions: ["read", "net", "env"],
  examples: [
    "controller --registry http://serin-registry:5000",
    "controller --registry http://localhost:5000 --kubeconfig kubeconfig --namespace serin",
  ],
  load: () => import("./controller_run.ts"),
});
