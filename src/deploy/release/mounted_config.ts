import {
  type KubernetesClient,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { NAMES, type TokenKey } from "../manifests/names.ts";
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

/** @returns the keys of a Secret that pods of some of the objects mount */
export function mountedSecretKeys(
  objects: readonly KubernetesObject[],
  name: string,
): ReadonlySet<string> {
  const sources = objects.flatMap((object) =>
    listAt(object, ...VOLUMES[object.kind] ?? ["none"])
      .flatMap((volume) => listAt(volume, "projected", "sources"))
  );
  return new Set(
    sources.filter((source) => textAt(source, "secret", "name") === name)
      .flatMap((source) => listAt(source, "secret", "items"))
      .flatMap((item) => textAt(item, "key") ?? []),
  );
}

/** Of what retrains alone: a Secret may be older than it, or made for an installation without. */
const LATER_KEY: TokenKey = "webhook-token";

/** @returns what to do about a key that a Secret lacks; undefined for one that is a person's affair */
export function secretKeyHint(key: string): string | undefined {
  if (key !== LATER_KEY) return undefined;
  return `add it where the Secret ${NAMES.tokens} comes from, or \`serin deploy apply\` does`;
}

/** @returns what to do about a ConfigMap that is missing */
export function configMapHint(name: string, namespace: string | undefined): string {
  const place = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const create = `make it: kubectl create configmap ${name}${place}`;
  return name === NAMES.retrainConfig
    ? `${create} --from-file=retrain.yaml, with a --from-file for each file that it names`
    : `${create} --from-file=…`;
}
