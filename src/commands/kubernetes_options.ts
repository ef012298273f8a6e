import { z } from "zod";

/** What every command says that talks to Kubernetes; to be spread into its options. */
export const kubernetesOptions = {
  kubeconfig: z.string().min(1).optional().meta({
    description: "How the cluster is reached (default: ~/.kube/config, or the pod's own account)",
    placeholder: "FILE",
    env: "KUBECONFIG",
  }),
  context: z.string().min(1).optional().meta({
    description: "Context of the kubeconfig (default: its current one)",
    placeholder: "NAME",
  }),
  namespace: z.string().min(1).max(63).optional().meta({
    description: "Namespace (default: the context's, or the pod's)",
    placeholder: "NAME",
  }),
  kubeApi: z.string().min(1).optional().meta({
    description: "An API server that wants no credentials, such as kubectl proxy's " +
      "http://localhost:8001; instead of a kubeconfig",
    placeholder: "URL",
  }),
  kubernetesHost: z.string().optional().meta({
    description: "The API server's address, in every container of a cluster",
    env: "KUBERNETES_SERVICE_HOST",
    secret: true,
  }),
  kubernetesPort: z.string().optional().meta({
    description: "The API server's port, in every container of a cluster",
    env: "KUBERNETES_SERVICE_PORT",
    secret: true,
  }),
  home: z.string().optional().meta({
    description: "Your home folder, where .kube/config is looked for",
    env: "HOME",
    secret: true,
  }),
} as const;

/** {@linkcode kubernetesOptions}, parsed. */
export interface KubernetesOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly kubeApi?: string | undefined;
  readonly kubernetesHost?: string | undefined;
  readonly kubernetesPort?: string | undefined;
  readonly home?: string | undefined;
}
