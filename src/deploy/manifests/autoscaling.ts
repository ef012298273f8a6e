import { formatYaml } from "../../config/mod.ts";
import { NAMES } from "./names.ts";
import type {
  ConfigMap,
  HorizontalPodAutoscaler,
  ScaledObject,
  ScalingBehavior,
  ScalingMetric,
} from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

/** The gauge of `serin serve`: requests that are being answered. */
const INFLIGHT = "serin_inflight_requests";

const TARGET = { apiVersion: "apps/v1", kind: "Deployment", name: NAMES.serving } as const;

/** What makes replicas come and go, by the chosen way. */
export function servingAutoscaling(
  settings: ManifestSettings,
): (HorizontalPodAutoscaler | ConfigMap | ScaledObject)[] {
  switch (settings.serving.autoscaling) {
    case "cpu":
      return [autoscaler(settings, [cpuMetric(settings)])];
    case "inflight-adapter":
      return [
        adapterRules(settings),
        autoscaler(settings, [inflightMetric(settings), cpuMetric(settings)]),
      ];
    case "inflight-keda":
      return [scaledObject(settings)];
  }
}

/** Of several metrics the one that wants most replicas wins; one that is missing stops only shrinking. */
function autoscaler(
  settings: ManifestSettings,
  metrics: readonly ScalingMetric[],
): HorizontalPodAutoscaler {
  const { replicasMin, replicasMax } = settings.serving;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: metadataOf(NAMES.serving, settings, "serving"),
    spec: {
      scaleTargetRef: TARGET,
      minReplicas: replicasMin,
      maxReplicas: replicasMax,
      metrics,
      behavior: behavior(settings),
    },
  };
}

function behavior(settings: ManifestSettings): ScalingBehavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Percent", value: 100, periodSeconds: 15 },
        { type: "Pods", value: 4, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: settings.serving.scaleDownSeconds,
      selectPolicy: "Max",
      policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
    },
  };
}

function cpuMetric(settings: ManifestSettings): ScalingMetric {
  const averageUtilization = settings.serving.cpuPercent;
  return {
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
  };
}

function inflightMetric(settings: ManifestSettings): ScalingMetric {
  const averageValue = String(settings.serving.inflightPerReplica);
  return {
    type: "Pods",
    pods: { metric: { name: INFLIGHT }, target: { type: "AverageValue", averageValue } },
  };
}

/**
 * The rule by which prometheus-adapter answers the autoscaler's question, in the form of the adapter's
 * own configuration file: its `rules` are to be added to those of the installed adapter.
 */
function adapterRules(settings: ManifestSettings): ConfigMap {
  const config = {
    rules: [{
      seriesQuery: `${INFLIGHT}{namespace!="",pod!=""}`,
      resources: { overrides: { namespace: { resource: "namespace" }, pod: { resource: "pod" } } },
      name: { as: INFLIGHT },
      metricsQuery: "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
    }],
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf(NAMES.adapterRules, settings, "serving"),
    data: { "config.yaml": formatYaml([config]) },
  };
}

/** KEDA makes and owns the HorizontalPodAutoscaler: there must be no other of the same Deployment. */
function scaledObject(settings: ManifestSettings): ScaledObject {
  const { namespace, serving, monitoring } = settings;
  const pods = `namespace="${namespace}",pod=~"${NAMES.serving}-.*"`;
  return {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: metadataOf(NAMES.serving, settings, "serving"),
    spec: {
      scaleTargetRef: TARGET,
      pollingInterval: 15,
      minReplicaCount: serving.replicasMin,
      maxReplicaCount: serving.replicasMax,
      // Without Prometheus nothing is taken away.
      fallback: {
        failureThreshold: 3,
        replicas: serving.replicasMin,
        behavior: "currentReplicasIfHigher",
      },
      advanced: { horizontalPodAutoscalerConfig: { behavior: behavior(settings) } },
      triggers: [{
        type: "prometheus",
        name: "inflight",
        metricType: "AverageValue",
        metadata: {
          serverAddress: monitoring.prometheusUrl,
          query: `sum(${INFLIGHT}{${pods}})`,
          threshold: String(serving.inflightPerReplica),
        },
      }, {
        type: "cpu",
        metricType: "Utilization",
        metadata: { value: String(serving.cpuPercent) },
      }],
    },
  };
}
