/**
 * The fields of a pod that serin's manifests use, as types: a mistyped name does not compile. Written
 * here because packages of such types lag behind Kubernetes and have every field optional; what types
 * cannot say is checked by kubeconform and by a server-side dry run.
 */

/** `core/v1 ResourceRequirements`; quantities such as `500m` and `256Mi`. */
export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string; readonly memory: string };
}

/** `core/v1 Probe` by HTTP. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** `core/v1 EnvVar`; values of Secrets are mounted as files, never put into the environment. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly resourceFieldRef: {
      readonly containerName: string;
      readonly resource: string;
      readonly divisor: string;
    };
  };
}

/** `core/v1 VolumeMount` */
export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

/** `core/v1 SecurityContext` of a container. */
export interface ContainerSecurity {
  readonly allowPrivilegeEscalation: false;
  readonly readOnlyRootFilesystem: true;
  readonly capabilities: { readonly drop: readonly ["ALL"] };
}

/** `core/v1 Container` */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly resources: Resources;
  /** Where nothing is written to the default place, the log's end is what the pod's status tells. */
  readonly terminationMessagePolicy?: "FallbackToLogsOnError";
  readonly securityContext: ContainerSecurity;
  readonly volumeMounts: readonly VolumeMount[];
}

/** `core/v1 Volume` */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly sizeLimit: string };
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly: boolean };
  readonly configMap?: { readonly name: string; readonly optional?: boolean };
  readonly projected?: {
    readonly defaultMode: number;
    readonly sources: readonly {
      readonly secret: {
        readonly name: string;
        readonly items: readonly { readonly key: string; readonly path: string }[];
      };
    }[];
  };
}

/** `core/v1 TopologySpreadConstraint` */
export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly whenUnsatisfiable: "ScheduleAnyway" | "DoNotSchedule";
  readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly matchLabelKeys: readonly string[];
}

/** `core/v1 PodSpec` */
export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: false;
  readonly restartPolicy?: "Never";
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsNonRoot: true;
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly fsGroup: number;
    readonly fsGroupChangePolicy: "OnRootMismatch";
    readonly seccompProfile: { readonly type: "RuntimeDefault" };
  };
  readonly topologySpreadConstraints?: readonly SpreadConstraint[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

/** `core/v1 PodTemplateSpec` */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

/** `core/v1 PersistentVolumeClaimSpec` */
export interface ClaimSpec {
  readonly accessModes: readonly ("ReadWriteOnce" | "ReadWriteMany" | "ReadOnlyMany")[];
  readonly storageClassName?: string;
  readonly resources: { readonly requests: { readonly storage: string } };
}
