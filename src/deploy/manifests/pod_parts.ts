import { labelsOf, NAMES, type Part, type TokenKey, TOKENS_FOLDER } from "./names.ts";
import type { Container, PodSpec, Probe, Resources, Volume, VolumeMount } from "./pod_shape.ts";
import type { ObjectMeta } from "../../kubernetes/mod.ts";
import type { ManifestSettings } from "./settings.ts";

/** The user and group of the image: `nonroot` of distroless images, which is nobody on the node. */
const NONROOT = 65532;

/** Name, namespace and labels of a part's object. */
export function metadataOf(
  name: string,
  settings: ManifestSettings,
  part?: Part,
  annotations?: Readonly<Record<string, string>>,
): ObjectMeta {
  return { name, namespace: settings.namespace, labels: labelsOf(part), annotations };
}

/** A GET probe of one of the container's named ports. */
export function probe(
  path: string,
  port: string,
  times: { periodSeconds: number; timeoutSeconds: number; failureThreshold: number },
): Probe {
  return { httpGet: { path, port }, ...times };
}

/** What differs between serin's containers. */
export interface ContainerParts extends
  Pick<
    Container,
    "command" | "args" | "workingDir" | "env" | "ports" | "terminationMessagePolicy"
  > {
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly resources: Resources;
  readonly volumeMounts: readonly VolumeMount[];
}

/** The container `serin`: it may write only to its mounts, and gains no rights. */
export function serinContainer(settings: ManifestSettings, parts: ContainerParts): Container {
  const { image, imagePullPolicy } = settings;
  const { resources, volumeMounts, ...rest } = parts;
  return {
    name: "serin",
    image,
    imagePullPolicy,
    ...rest,
    resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [...volumeMounts, { name: "tmp", mountPath: "/tmp" }],
  };
}

/** A pod of one container that Pod Security's `restricted` admits. */
export function restrictedPod(parts: {
  readonly serviceAccount: string;
  readonly container: Container;
  readonly volumes: readonly Volume[];
  readonly terminationGracePeriodSeconds: number;
  readonly usesKubernetesApi?: boolean;
  readonly tmpSize?: string;
  readonly restartPolicy?: "Never";
  readonly topologySpreadConstraints?: PodSpec["topologySpreadConstraints"];
}): PodSpec {
  return {
    serviceAccountName: parts.serviceAccount,
    automountServiceAccountToken: parts.usesKubernetesApi ?? false,
    // Else every Service becomes variables such as SERIN_REGISTRY_PORT, which look like serin's own.
    enableServiceLinks: false,
    restartPolicy: parts.restartPolicy,
    terminationGracePeriodSeconds: parts.terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NONROOT,
      runAsGroup: NONROOT,
      fsGroup: NONROOT,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: parts.topologySpreadConstraints,
    containers: [parts.container],
    volumes: [
      ...parts.volumes,
      { name: "tmp", emptyDir: { sizeLimit: parts.tmpSize ?? "64Mi" } },
    ],
  };
}

/** Where {@linkcode tokensVolume} is mounted. */
export const TOKENS_MOUNT: VolumeMount = {
  name: "tokens",
  mountPath: TOKENS_FOLDER,
  readOnly: true,
};

/** Only the named tokens of the Secret, a file each, readable by serin's group alone. */
export function tokensVolume(...keys: readonly TokenKey[]): Volume {
  const items = keys.map((key) => ({ key, path: key }));
  return {
    name: "tokens",
    projected: { defaultMode: 0o440, sources: [{ secret: { name: NAMES.tokens, items } }] },
  };
}

/** The path of a token's file in a pod. */
export function tokenFile(key: TokenKey): string {
  return `${TOKENS_FOLDER}/${key}`;
}
