import { labelsOf, NAMES, PORTS, REGISTRY_URL, selectorOf } from "./names.ts";
import type { Deployment } from "./object_shape.ts";
import {
  metadataOf,
  probe,
  restrictedPod,
  serinContainer,
  tokenFile,
  TOKENS_MOUNT,
  tokensVolume,
} from "./pod_parts.ts";
import type { Container } from "./pod_shape.ts";
import type { ManifestSettings } from "./settings.ts";

/** What makes Kubernetes look like the registry's state; the only pod with a Kubernetes token. */
export function controllerDeployment(settings: ManifestSettings): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(NAMES.controller, settings, "controller"),
    spec: {
      replicas: settings.controller.replicas,
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: 300,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: selectorOf("controller") },
      template: {
        metadata: { labels: labelsOf("controller") },
        spec: restrictedPod({
          serviceAccount: NAMES.controller,
          usesKubernetesApi: true,
          container: controllerContainer(settings),
          volumes: [tokensVolume("admin-token")],
          terminationGracePeriodSeconds: 15,
        }),
      },
    },
  };
}

function controllerContainer(settings: ManifestSettings): Container {
  return serinContainer(settings, {
    command: ["/serin", "controller"],
    args: [
      ...["--registry", REGISTRY_URL, "--registry-token-file", tokenFile("admin-token")],
      ...["--deployment", NAMES.serving],
      ...["--host", "0.0.0.0", "--port", String(PORTS.controller.admin)],
    ],
    ports: [{ name: "admin", containerPort: PORTS.controller.admin }],
    startupProbe: probe("/livez", "admin", {
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 30,
    }),
    readinessProbe: probe("/readyz", "admin", {
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    }),
    livenessProbe: probe("/livez", "admin", {
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    }),
    resources: settings.controller.resources,
    volumeMounts: [TOKENS_MOUNT],
  });
}
