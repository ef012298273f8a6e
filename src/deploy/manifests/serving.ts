import {
  labelsOf,
  MODELS_ANNOTATION,
  NAMES,
  PORTS,
  REGISTRY_URL,
  RETRAIN_URL,
  selectorOf,
} from "./names.ts";
import type { Deployment, PodDisruptionBudget, Service } from "./object_shape.ts";
import {
  metadataOf,
  probe,
  restrictedPod,
  serinContainer,
  tokenFile,
  TOKENS_MOUNT,
  tokensVolume,
} from "./pod_parts.ts";
import type { Container, SpreadConstraint, Volume } from "./pod_shape.ts";
import { multiplyBytes } from "./quantity.ts";
import type { ManifestSettings } from "./settings.ts";

const CACHE = "/var/cache/serin";
const PREDICTIONS = "/var/log/serin";

/** After delay and grace: the last counts, the isolates' end. */
const ENDING_SECONDS = 10;
/** What is left of the prediction log is sent in between, which may take 5 s. */
const ENDING_WITH_LOG_SECONDS = 15;

/**
 * The replicas. Their number is the autoscaler's and their arguments (which models) are the
 * controller's: neither is set here, so that applying the manifests again takes nothing back.
 */
export function servingDeployment(settings: ManifestSettings): Deployment {
  const { serving } = settings;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(NAMES.serving, settings, "serving", { [MODELS_ANNOTATION]: "registry" }),
    spec: {
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: serving.startupSeconds + 300,
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxUnavailable: 0, maxSurge: numberOrPercent(serving.surge) },
      },
      selector: { matchLabels: selectorOf("serving") },
      template: {
        metadata: { labels: labelsOf("serving") },
        spec: restrictedPod({
          serviceAccount: NAMES.serving,
          container: servingContainer(settings),
          volumes: [
            { name: "cache", emptyDir: { sizeLimit: serving.cacheSize } },
            tokensVolume("replica-token"),
            ...predictionsVolume(settings),
          ],
          // serve waits by itself before it stops accepting: there is no preStop hook.
          terminationGracePeriodSeconds: serving.shutdownDelaySeconds + serving.graceSeconds +
            (settings.retrain.enabled ? ENDING_WITH_LOG_SECONDS : ENDING_SECONDS),
          topologySpreadConstraints: spreadConstraints(serving.spread),
        }),
      },
    },
  };
}

function servingContainer(settings: ManifestSettings): Container {
  const { serving } = settings;
  return serinContainer(settings, {
    command: [
      ...["/serin", "serve", "--host", "0.0.0.0"],
      ...["--port", String(PORTS.serving.http), "--admin-port", String(PORTS.serving.admin)],
      ...["--registry", REGISTRY_URL, "--registry-token-file", tokenFile("replica-token")],
      ...["--cache", CACHE],
      ...["--shutdown-delay-seconds", String(serving.shutdownDelaySeconds)],
      ...["--grace-seconds", String(serving.graceSeconds)],
      ...predictionFlags(settings),
    ],
    env: [{
      name: "SERIN_WORKERS",
      valueFrom: {
        // Rounded up: a data isolate for each core that the replica is sure to have.
        resourceFieldRef: { containerName: "serin", resource: "requests.cpu", divisor: "1" },
      },
    }],
    ports: [
      { name: "http", containerPort: PORTS.serving.http },
      { name: "admin", containerPort: PORTS.serving.admin },
    ],
    startupProbe: probe("/livez", "admin", {
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: Math.ceil(serving.startupSeconds / 2),
    }),
    // Data isolates have 2 s to answer before they are not ready.
    readinessProbe: probe("/readyz", "admin", {
      periodSeconds: 2,
      timeoutSeconds: 3,
      failureThreshold: 2,
    }),
    // A replica that is busy, or has no registry, is not restarted: that would lose its cache.
    livenessProbe: probe("/livez", "admin", {
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    }),
    resources: serving.resources,
    volumeMounts: [
      { name: "cache", mountPath: CACHE },
      TOKENS_MOUNT,
      ...(settings.retrain.enabled ? [{ name: "predictions", mountPath: PREDICTIONS }] : []),
    ],
  });
}

/** Each replica keeps what it answered until what retrains has it. */
function predictionFlags({ retrain }: ManifestSettings): string[] {
  if (!retrain.enabled) return [];
  return [
    ...["--prediction-log", PREDICTIONS, "--prediction-log-bytes", retrain.replicaLogSize],
    ...["--prediction-log-rate", retrain.logRate, "--prediction-log-to", RETRAIN_URL],
    ...["--prediction-log-token-file", tokenFile("replica-token")],
  ];
}

/** Twice the ring: above its limit a replica is evicted, and beside the ring are its journal and gaps. */
function predictionsVolume({ retrain }: ManifestSettings): Volume[] {
  if (!retrain.enabled) return [];
  const sizeLimit = multiplyBytes(retrain.replicaLogSize, 2);
  return [{ name: "predictions", emptyDir: { sizeLimit } }];
}

const SPREAD_KEYS = {
  none: [],
  nodes: ["kubernetes.io/hostname"],
  zones: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
} as const;

/**
 * Preferred, never required: while a zone is down its replicas must start in the others. Each
 * revision is spread by itself, or a rolling update would lean to one side.
 */
function spreadConstraints(
  spread: ManifestSettings["serving"]["spread"],
): SpreadConstraint[] | undefined {
  if (spread === "none") return undefined;
  return SPREAD_KEYS[spread].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorOf("serving") },
    matchLabelKeys: ["pod-template-hash"],
  }));
}

/** The data port alone: the admin port is for probes, Prometheus and operators. */
export function servingService(settings: ManifestSettings): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(NAMES.serving, settings, "serving"),
    spec: {
      type: "ClusterIP",
      selector: selectorOf("serving"),
      ports: [{ name: "http", port: PORTS.serving.http, targetPort: "http", appProtocol: "http" }],
    },
  };
}

/** One replica at a time may be evicted: with `minAvailable` a single one would block a drain. */
export function servingBudget(settings: ManifestSettings): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(NAMES.serving, settings, "serving"),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorOf("serving") },
    },
  };
}

function numberOrPercent(text: string): number | string {
  return text.endsWith("%") ? text : Number(text);
}
