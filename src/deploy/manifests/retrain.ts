import { labelsOf, NAMES, PORTS, REGISTRY_URL, RETRAIN_URL, selectorOf } from "./names.ts";
import type { Deployment, PersistentVolumeClaim, Service } from "./object_shape.ts";
import {
  metadataOf,
  probe,
  restrictedPod,
  serinContainer,
  tokenFile,
  TOKENS_MOUNT,
  tokensVolume,
} from "./pod_parts.ts";
import type { Container, Volume, VolumeMount } from "./pod_shape.ts";
import type { ManifestSettings } from "./settings.ts";

const DATA = "/var/lib/serin";

/**
 * Where retrain.yaml and the files that it names are. It is the working directory of this pod and of
 * training Jobs, so that `train: train.yaml` is the same file in both.
 */
export const RETRAIN_CONFIG = "/etc/serin/retrain";

/** Where {@linkcode retrainConfigVolume} is mounted. */
export const RETRAIN_CONFIG_MOUNT: VolumeMount = {
  name: "config",
  mountPath: RETRAIN_CONFIG,
  readOnly: true,
};

/** The ConfigMap with retrain.yaml: a person's, never part of the manifests. */
export function retrainConfigVolume({ optional }: { optional: boolean }): Volume {
  const name = NAMES.retrainConfig;
  return { name: "config", configMap: optional ? { name, optional } : { name } };
}

/**
 * What takes Alertmanager's webhook, and what replicas have logged. One: its records and the log have a
 * single writer, and an old pod must be gone before a new one opens them.
 */
export function retrainDeployment(settings: ManifestSettings): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(NAMES.retrain, settings, "retrain", {
      "serin.dev/replicas": "one only: its database is SQLite, which has a single writer",
    }),
    spec: {
      replicas: 1,
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: 300,
      strategy: { type: "Recreate" },
      selector: { matchLabels: selectorOf("retrain") },
      template: {
        metadata: { labels: labelsOf("retrain") },
        spec: restrictedPod({
          serviceAccount: NAMES.retrain,
          container: retrainContainer(settings),
          volumes: [
            {
              name: "data",
              persistentVolumeClaim: { claimName: NAMES.retrainData, readOnly: false },
            },
            retrainConfigVolume({ optional: false }),
            tokensVolume("admin-token", "replica-token", "webhook-token"),
          ],
          // Work that is cut off goes on at the next start: there is nothing to wait for.
          terminationGracePeriodSeconds: 15,
          tmpSize: "1Gi",
        }),
      },
    },
  };
}

function retrainContainer(settings: ManifestSettings): Container {
  const { retrain } = settings;
  return serinContainer(settings, {
    command: ["/serin", "retrain", "serve"],
    args: [
      ...["--host", "0.0.0.0", "--port", String(PORTS.retrain.http), "--own-url", RETRAIN_URL],
      ...["--registry", REGISTRY_URL, "--registry-token-file", tokenFile("admin-token")],
      ...["--token-file", tokenFile("admin-token")],
      ...["--replica-token-file", tokenFile("replica-token")],
      ...["--webhook-token-file", tokenFile("webhook-token")],
      ...["--spec", `${RETRAIN_CONFIG}/retrain.yaml`, "--train-in", retrain.trainIn],
      ...["--data", `${DATA}/retrain`, "--prediction-log", `${DATA}/predictions`],
      ...["--prediction-log-bytes", retrain.logSize],
    ],
    workingDir: RETRAIN_CONFIG,
    ports: [{ name: "http", containerPort: PORTS.retrain.http }],
    startupProbe: probe("/livez", "http", {
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 60,
    }),
    readinessProbe: probe("/readyz", "http", {
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    }),
    // Reading many rows may keep it busy: a restart would only begin that anew.
    livenessProbe: probe("/livez", "http", {
      periodSeconds: 15,
      timeoutSeconds: 5,
      failureThreshold: 8,
    }),
    resources: retrain.resources,
    // What is wrong with a person's retrain.yaml is said in the log, and by `serin deploy status`.
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: "data", mountPath: DATA }, RETRAIN_CONFIG_MOUNT, TOKENS_MOUNT],
  });
}

/** Where replicas, Jobs and Alertmanager reach it. */
export function retrainService(settings: ManifestSettings): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(NAMES.retrain, settings, "retrain"),
    spec: {
      type: "ClusterIP",
      selector: selectorOf("retrain"),
      ports: [{ name: "http", port: PORTS.retrain.http, targetPort: "http", appProtocol: "http" }],
    },
  };
}

/** What was logged, decided and collected. */
export function retrainData(settings: ManifestSettings): PersistentVolumeClaim {
  const { storage, storageClass } = settings.retrain;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadataOf(NAMES.retrainData, settings, "retrain"),
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storageClass,
      resources: { requests: { storage } },
    },
  };
}
