import { labelsOf, NAMES, PORTS, selectorOf } from "./names.ts";
import type { Service, StatefulSet } from "./object_shape.ts";
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

const DATA = "/var/lib/serin";

/** One registry: SQLite has one writer, so a second replica would have a database of its own. */
export function registryStatefulSet(settings: ManifestSettings): StatefulSet {
  const { registry } = settings;
  const selector = { matchLabels: selectorOf("registry") };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadataOf(NAMES.registry, settings, "registry", {
      "serin.dev/replicas": "one only: the database is SQLite, which has a single writer",
    }),
    spec: {
      serviceName: NAMES.registry,
      replicas: 1,
      podManagementPolicy: "OrderedReady",
      revisionHistoryLimit: 5,
      // What was acknowledged outlives the StatefulSet.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      selector,
      template: {
        metadata: { labels: labelsOf("registry") },
        spec: restrictedPod({
          serviceAccount: NAMES.registry,
          container: registryContainer(settings),
          volumes: [tokensVolume("admin-token", "replica-token")],
          terminationGracePeriodSeconds: registry.graceSeconds + 10,
        }),
      },
      volumeClaimTemplates: [{
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        // No version among the labels: a claim template can never be changed.
        metadata: { name: "data", labels: selectorOf("registry") },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: registry.storageClass,
          resources: { requests: { storage: registry.storage } },
        },
      }],
    },
  };
}

function registryContainer(settings: ManifestSettings): Container {
  const { registry } = settings;
  return serinContainer(settings, {
    command: ["/serin", "registry"],
    args: [
      ...["--host", "0.0.0.0", "--port", String(PORTS.registry.http), "--data", DATA],
      ...["--admin-token-file", tokenFile("admin-token")],
      ...["--replica-token-file", tokenFile("replica-token")],
      ...["--grace-seconds", String(registry.graceSeconds)],
    ],
    ports: [{ name: "http", containerPort: PORTS.registry.http }],
    // Migrations of a large database come before the first answer.
    startupProbe: probe("/readyz", "http", {
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 150,
    }),
    readinessProbe: probe("/readyz", "http", {
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    }),
    // A slow disk must not end the process: only one that answers nothing is restarted.
    livenessProbe: probe("/livez", "http", {
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    }),
    resources: registry.resources,
    volumeMounts: [{ name: "data", mountPath: DATA }, TOKENS_MOUNT],
  });
}

/** The registry's address in the cluster; also what gives the StatefulSet's pod its name. */
export function registryService(settings: ManifestSettings): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(NAMES.registry, settings, "registry"),
    spec: {
      type: "ClusterIP",
      selector: selectorOf("registry"),
      ports: [{ name: "http", port: PORTS.registry.http, targetPort: "http", appProtocol: "http" }],
    },
  };
}
