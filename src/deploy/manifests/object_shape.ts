/** The kinds of objects that serin's manifests make, as types; pods are in `pod_shape.ts`. */
import type { ObjectMeta } from "../../kubernetes/mod.ts";
import type { RuleFile } from "../monitoring/mod.ts";
import type { ClaimSpec, PodTemplate } from "./pod_shape.ts";

/** An object of one kind and version. */
interface Of<V extends string, K extends string> {
  readonly apiVersion: V;
  readonly kind: K;
  readonly metadata: ObjectMeta;
}
type Labels = Readonly<Record<string, string>>;
type Selector = { readonly matchLabels: Labels };

export interface Namespace extends Of<"v1", "Namespace"> {}

export interface ServiceAccount extends Of<"v1", "ServiceAccount"> {
  readonly automountServiceAccountToken: boolean;
}

/** One line of a Role: nothing is granted by `*`. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface Role extends Of<"rbac.authorization.k8s.io/v1", "Role"> {
  readonly rules: readonly PolicyRule[];
}

export interface RoleBinding extends Of<"rbac.authorization.k8s.io/v1", "RoleBinding"> {
  readonly roleRef: { readonly apiGroup: string; readonly kind: "Role"; readonly name: string };
  readonly subjects: readonly {
    readonly kind: "ServiceAccount";
    readonly name: string;
    readonly namespace: string;
  }[];
}

export interface ConfigMap extends Of<"v1", "ConfigMap"> {
  readonly data: Readonly<Record<string, string>>;
}

export interface PersistentVolumeClaim extends Of<"v1", "PersistentVolumeClaim"> {
  readonly spec: ClaimSpec;
}

export interface Service extends Of<"v1", "Service"> {
  readonly spec: {
    readonly type: "ClusterIP";
    readonly selector: Labels;
    readonly ports: readonly {
      readonly name: string;
      readonly port: number;
      readonly targetPort: string;
      readonly appProtocol?: string;
    }[];
  };
}

export interface StatefulSet extends Of<"apps/v1", "StatefulSet"> {
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly podManagementPolicy: "OrderedReady" | "Parallel";
    readonly revisionHistoryLimit: number;
    readonly persistentVolumeClaimRetentionPolicy: {
      readonly whenDeleted: "Retain" | "Delete";
      readonly whenScaled: "Retain" | "Delete";
    };
    readonly selector: Selector;
    readonly template: PodTemplate;
    readonly volumeClaimTemplates: readonly {
      readonly apiVersion: "v1";
      readonly kind: "PersistentVolumeClaim";
      readonly metadata: { readonly name: string; readonly labels: Labels };
      readonly spec: ClaimSpec;
    }[];
  };
}

export interface Deployment extends Of<"apps/v1", "Deployment"> {
  readonly spec: {
    readonly replicas?: number;
    readonly revisionHistoryLimit: number;
    readonly progressDeadlineSeconds: number;
    readonly strategy:
      | { readonly type: "Recreate" }
      | {
        readonly type: "RollingUpdate";
        readonly rollingUpdate: {
          readonly maxUnavailable: number | string;
          readonly maxSurge: number | string;
        };
      };
    readonly selector: Selector;
    readonly template: PodTemplate;
  };
}

export interface JobSpec {
  readonly backoffLimit: number;
  readonly activeDeadlineSeconds: number;
  readonly ttlSecondsAfterFinished: number;
  readonly podFailurePolicy: {
    readonly rules: readonly {
      readonly action: "FailJob" | "Ignore" | "Count";
      readonly onExitCodes?: {
        readonly containerName: string;
        readonly operator: "In" | "NotIn";
        readonly values: readonly number[];
      };
      readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[];
    }[];
  };
  readonly template: PodTemplate;
}

export interface Job extends Of<"batch/v1", "Job"> {
  readonly spec: JobSpec;
}

export interface CronJob extends Of<"batch/v1", "CronJob"> {
  readonly spec: {
    readonly schedule: string;
    readonly timeZone: string;
    readonly suspend: boolean;
    readonly concurrencyPolicy: "Allow" | "Forbid" | "Replace";
    readonly startingDeadlineSeconds: number;
    readonly successfulJobsHistoryLimit: number;
    readonly failedJobsHistoryLimit: number;
    readonly jobTemplate: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: JobSpec;
    };
  };
}

export interface PodDisruptionBudget extends Of<"policy/v1", "PodDisruptionBudget"> {
  readonly spec: {
    readonly maxUnavailable: number | string;
    readonly unhealthyPodEvictionPolicy: "AlwaysAllow" | "IfHealthyBudget";
    readonly selector: Selector;
  };
}

/** One metric of a HorizontalPodAutoscaler. */
export type ScalingMetric =
  | {
    readonly type: "Resource";
    readonly resource: {
      readonly name: "cpu";
      readonly target: { readonly type: "Utilization"; readonly averageUtilization: number };
    };
  }
  | {
    readonly type: "Pods";
    readonly pods: {
      readonly metric: { readonly name: string };
      readonly target: { readonly type: "AverageValue"; readonly averageValue: string };
    };
  };

interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy: "Max" | "Min";
  readonly policies: readonly {
    readonly type: "Pods" | "Percent";
    readonly value: number;
    readonly periodSeconds: number;
  }[];
}

/** How fast an autoscaler follows its metrics. */
export interface ScalingBehavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface HorizontalPodAutoscaler extends Of<"autoscaling/v2", "HorizontalPodAutoscaler"> {
  readonly spec: {
    readonly scaleTargetRef: Target;
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly ScalingMetric[];
    readonly behavior: ScalingBehavior;
  };
}

export interface ScaledObject extends Of<"keda.sh/v1alpha1", "ScaledObject"> {
  readonly spec: {
    readonly scaleTargetRef: Target;
    readonly pollingInterval: number;
    readonly minReplicaCount: number;
    readonly maxReplicaCount: number;
    readonly fallback: {
      readonly failureThreshold: number;
      readonly replicas: number;
      readonly behavior: "currentReplicasIfHigher";
    };
    readonly advanced: {
      readonly horizontalPodAutoscalerConfig: { readonly behavior: ScalingBehavior };
    };
    readonly triggers: readonly {
      readonly type: "prometheus" | "cpu";
      readonly name?: string;
      readonly metricType: "AverageValue" | "Utilization";
      readonly metadata: Readonly<Record<string, string>>;
    }[];
  };
}

/** One end of a NetworkPolicy's rule. */
export interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
  readonly ipBlock?: { readonly cidr: string };
}

/** A port of a NetworkPolicy's rule. */
export interface PolicyPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

export interface NetworkPolicy extends Of<"networking.k8s.io/v1", "NetworkPolicy"> {
  readonly spec: {
    readonly podSelector: { readonly matchLabels?: Labels };
    readonly policyTypes: readonly ("Ingress" | "Egress")[];
    readonly ingress?: readonly {
      readonly from?: readonly Peer[];
      readonly ports: readonly PolicyPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly Peer[];
      readonly ports: readonly PolicyPort[];
    }[];
  };
}

interface Endpoint {
  readonly port: string;
  readonly path: "/metrics";
  readonly interval: string;
}

export interface ServiceMonitor extends Of<"monitoring.coreos.com/v1", "ServiceMonitor"> {
  readonly spec: { readonly selector: Selector; readonly endpoints: readonly Endpoint[] };
}

export interface PrometheusRule extends Of<"monitoring.coreos.com/v1", "PrometheusRule"> {
  readonly spec: RuleFile;
}

export interface PodMonitor extends Of<"monitoring.coreos.com/v1", "PodMonitor"> {
  readonly spec: { readonly selector: Selector; readonly podMetricsEndpoints: readonly Endpoint[] };
}

/** `apiextensions/v1 JSONSchemaProps`, the part that a structural schema needs. */
export interface StructuralSchema {
  readonly type: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly format?: "date-time" | "int64" | "int32";
  readonly enum?: readonly string[];
  readonly nullable?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly "x-kubernetes-list-type"?: "map" | "atomic" | "set";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

export interface CustomResourceDefinition
  extends Of<"apiextensions.k8s.io/v1", "CustomResourceDefinition"> {
  readonly spec: {
    readonly group: string;
    readonly scope: "Namespaced";
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly subresources: { readonly status: Readonly<Record<string, never>> };
      readonly additionalPrinterColumns: readonly {
        readonly name: string;
        readonly type: "string" | "integer" | "date";
        readonly jsonPath: string;
        readonly priority?: number;
        readonly description?: string;
      }[];
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
    }[];
  };
}

/** Any object of serin's manifests. */
export type Manifest =
  | Namespace
  | CustomResourceDefinition
  | ServiceAccount
  | Role
  | RoleBinding
  | ConfigMap
  | NetworkPolicy
  | PersistentVolumeClaim
  | Service
  | StatefulSet
  | Deployment
  | HorizontalPodAutoscaler
  | ScaledObject
  | PodDisruptionBudget
  | CronJob
  | Job
  | ServiceMonitor
  | PodMonitor
  | PrometheusRule;
