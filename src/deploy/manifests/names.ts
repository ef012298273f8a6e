import { VERSION } from "../../core/mod.ts";

/** The parts that serin runs as on Kubernetes; the value of the label `app.kubernetes.io/component`. */
export type Part = "registry" | "serving" | "controller" | "training" | "retrain";

/** Names that other programs rely on: the controller, `serin deploy`, people with kubectl. */
export const NAMES = {
  registry: "serin-registry",
  serving: "serin-serving",
  controller: "serin-controller",
  training: "serin-training",
  trainingTemplate: "serin-train",
  trainingJob: "serin-train-once",
  trainingData: "serin-training-data",
  retrain: "serin-retrain",
  retrainConfig: "serin-retrain",
  retrainData: "serin-retrain-data",
  tokens: "serin-tokens",
  rolloutCrd: "rollouts.serin.dev",
  adapterRules: "serin-prometheus-adapter-rules",
  alerts: "serin-alerts",
  dashboard: "serin-dashboard",
  defaultDeny: "serin-default-deny",
  dns: "serin-dns",
} as const;

/** Ports of the containers; each Service and probe names them by their key in `ports`. */
export const PORTS = {
  registry: { http: 5000 },
  serving: { http: 8080, admin: 8081 },
  controller: { admin: 8082 },
  retrain: { http: 8083 },
} as const;

/** Keys of the Secret `serin-tokens`. */
export type TokenKey = "admin-token" | "replica-token" | "webhook-token";

/** Where a pod finds its tokens, a file a key. */
export const TOKENS_FOLDER = "/etc/serin/tokens";

/** The annotation with which a Deployment says that the controller may set its arguments. */
export const MODELS_ANNOTATION = "serin.dev/models";

/** What one part's pods are chosen by. It never changes: a Deployment's selector cannot be edited. */
export function selectorOf(part: Part): Record<string, string> {
  return { "app.kubernetes.io/name": "serin", "app.kubernetes.io/component": part };
}

/** Labels of an object that belongs to a part, or to all of serin. */
export function labelsOf(part?: Part): Record<string, string> {
  return {
    "app.kubernetes.io/name": "serin",
    ...(part === undefined ? {} : { "app.kubernetes.io/component": part }),
    "app.kubernetes.io/part-of": "serin",
    "app.kubernetes.io/version": VERSION,
  };
}

/** The address of the registry for pods of the same namespace. */
export const REGISTRY_URL = `http://${NAMES.registry}:${PORTS.registry.http}`;

/** The address of what retrains, for the same pods. */
export const RETRAIN_URL = `http://${NAMES.retrain}:${PORTS.retrain.http}`;
