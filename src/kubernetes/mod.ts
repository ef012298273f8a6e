/**
 * Level 1: a client of the Kubernetes API by its REST form: no other program, no library. `fetch` is
 * injected; so the room works against an API server, through a proxy, and in tests.
 */
export {
  type ClusterSettings,
  inClusterSettings,
  type PemSource,
  SERVICE_ACCOUNT_FOLDER,
} from "./cluster_settings.ts";
export { isKindMissing, kindMissing } from "./kind_missing.ts";
export { type KubeconfigFile, parseKubeconfig } from "./kubeconfig.ts";
export type {
  ApplyOptions,
  DeleteOptions,
  KubernetesClient,
  ObjectList,
  RawRequest,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./kubernetes_client.ts";
export {
  ALL_NAMESPACES,
  describeReference,
  type KindReference,
  type KubernetesObject,
  type ManagedFields,
  type ObjectMeta,
  type ObjectReference,
  type OwnerReference,
  referenceOf,
} from "./kubernetes_object.ts";
export { type LeaderLease, type LeaseOptions, openLease } from "./leader_lease.ts";
export { ObjectCache, type ObjectCacheOptions } from "./object_cache.ts";
export { createKubernetesClient, type KubernetesClientOptions } from "./rest_client.ts";
export { serviceProxyPath } from "./service_proxy.ts";
export { type Sleep, systemSleep } from "./sleep.ts";
