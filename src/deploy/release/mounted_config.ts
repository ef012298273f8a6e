import {
  type KubernetesClient,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { NAMES } from "../manifests/names.ts";
import { listAt, textAt, valueAt } from "./object_fields.ts";

/** Where each kind has the volumes of its pods. */
const VOLUMES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template", "spec", "volumes"],
  StatefulSet: ["spec", "template", "spec", "volumes"],
  Job: ["spec", "template", "spec", "volumes"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec", "volumes"],
};

/**
 * Pods wait for a ConfigMap that they mount, whatever time passes. People make some of them, so that the
 * manifests have none.
 *
 * @param applied what is applied together with the object
 * @returns a ConfigMap that the pods of an object cannot start without, and that nobody has made
 */
export async function findMissingConfigMap(
  client: KubernetesClient,
  object: KubernetesObject,
  applied: readonly KubernetesObject[],
): Promise<string | undefined> {
  const { namespace } = object.metadata;
  for (const volume of listAt(object, ...VOLUMES[object.kind] ?? ["none"])) {
    const name = textAt(volume, "configMap", "name");
    if (name === undefined || valueAt(volume, "configMap", "optional") === true) continue;
    const wanted = { apiVersion: "v1", kind: "ConfigMap", name, namespace } as ObjectReference;
    const isApplied = applied.some((one) =>
      one.kind === "ConfigMap" && referenceOf(one).name === name
    );
    if (!isApplied && await client.get(wanted) === undefined) return name;
  }
  return undefined;
}

/** @returns what to do about a ConfigMap that is missing */
export function configMapHint(name: string, namespace: string | undefined): string {
  const place = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const create = `make it: kubectl create configmap ${name}${place}`;
  return name === NAMES.retrainConfig
    ? `${create} --from-file=retrain.yaml, with a --from-file for each file that it names`
    : `${create} --from-file=…`;
}
