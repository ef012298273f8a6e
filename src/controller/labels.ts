/** Whose objects these are; also the field manager of every write. */
export const CONTROLLER = "serin-controller";

/** The group of serin's own kinds, labels and annotations. */
export const ROLLOUT_API_VERSION = "serin.dev/v1alpha1";

/** Labels, annotations and tags that the controller reads and writes. */
export const KEYS = {
  /** Label: who made it. */
  managedBy: "app.kubernetes.io/managed-by",
  /** Label: the model as a DNS label. Annotation: its name as it is. */
  model: "serin.dev/model",
  /** Label: the registry's rollout. */
  rollout: "serin.dev/rollout",
  /** Annotation of a Job: the request's id. */
  request: "serin.dev/training-request",
  /** Annotation of a Deployment: `registry` lets the controller set its arguments. */
  models: "serin.dev/models",
  /** Tag of a registered model: a Deployment's name, or `none`. */
  servingTag: "serin.serving",
  requestTag: "serin.training_request",
  statusTag: "serin.training_status",
} as const;

/** What lists and watches choose the controller's own objects by. */
export const OWN_OBJECTS = `${KEYS.managedBy}=${CONTROLLER}`;

/** Labels of everything that the controller makes. */
export function ownLabels(component: "controller" | "training"): Record<string, string> {
  return {
    "app.kubernetes.io/name": "serin",
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/part-of": "serin",
    [KEYS.managedBy]: CONTROLLER,
  };
}
