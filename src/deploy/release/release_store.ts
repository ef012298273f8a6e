import { LIMITS, SerinError } from "../../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../../kubernetes/mod.ts";
import {
  type NewRelease,
  outcomePatch,
  parseRelease,
  type Release,
  RELEASE_LABEL,
  releaseName,
  releaseNumber,
  releaseObjects,
  type ReleaseOutcome,
  toConfigMap,
} from "./release_record.ts";

/** The releases of one namespace, kept as ConfigMaps in it. */
export interface ReleaseStore {
  /** @returns the newest first; ones that cannot be read are left out */
  list(): Promise<Release[]>;
  /** @throws {SerinError} `not_found` that lists those that there are; `invalid_data` */
  objectsOf(number: number): Promise<KubernetesObject[]>;
  /**
   * Objects of every kept release that has not been pruned yet: what an apply that failed left behind
   * is removed by the next one that succeeds.
   */
  allObjects(): Promise<KubernetesObject[]>;
  /**
   * Writes a release down, under the next number.
   *
   * @throws {SerinError} `conflict` where another made one at the same moment
   */
  add(release: Omit<NewRelease, "number" | "namespace">): Promise<number>;
  /** Notes how a release went. */
  finish(number: number, outcome: ReleaseOutcome): Promise<void>;
  /** Deletes the oldest ones above the limit; never the newest healthy one. */
  trim(): Promise<void>;
}

/** @returns the releases of a namespace */
export function openReleaseStore(client: KubernetesClient, namespace: string): ReleaseStore {
  const kind = { apiVersion: "v1", kind: "ConfigMap", namespace };
  const listMaps = async () => {
    const { items } = await client.list({ ...kind, labelSelector: RELEASE_LABEL });
    return items.filter((map) => releaseNumber(map) !== undefined)
      .toSorted((a, b) => releaseNumber(b)! - releaseNumber(a)!);
  };
  return {
    list: async () => (await listMaps()).flatMap(readOrNone),
    objectsOf: async (number) => {
      const map = await client.get({ ...kind, name: releaseName(number) });
      if (map !== undefined) return await releaseObjects(map);
      const numbers = (await listMaps()).map(releaseNumber);
      throw new SerinError("not_found", `There is no release ${number} in namespace ${namespace}`, {
        hint: numbers.length === 0
          ? "nothing was applied yet: `serin deploy apply` makes release 1"
          : `there are ${numbers.join(", ")}; the newest ${LIMITS.releasesMax} are kept`,
      });
    },
    allObjects: async () => {
      const readable = (await listMaps()).filter((map) => readOrNone(map).length > 0);
      return (await Promise.all(readable.map((map) => releaseObjects(map).catch(() => [])))).flat();
    },
    add: async (release) => {
      const numbers = (await listMaps()).map((map) => releaseNumber(map) ?? 0);
      const number = Math.max(0, ...numbers) + 1;
      try {
        await client.create(await toConfigMap({ ...release, number, namespace }));
      } catch (thrown) {
        if (!(thrown instanceof SerinError) || thrown.code !== "already_exists") throw thrown;
        throw new SerinError("conflict", `Another apply made release ${number} at this moment`, {
          hint: "wait for it, see `serin deploy history`, then apply again",
          cause: thrown,
        });
      }
      return number;
    },
    finish: async (number, outcome) => {
      await client.patch({ ...kind, name: releaseName(number) }, outcomePatch(outcome));
    },
    trim: async () => {
      const releases = (await listMaps()).flatMap(readOrNone);
      const newestHealthy = releases.find(({ outcome }) => outcome === "healthy")?.number;
      for (const { number } of releases.slice(LIMITS.releasesMax)) {
        if (number !== newestHealthy) await client.delete({ ...kind, name: releaseName(number) });
      }
    },
  };
}

function readOrNone(map: KubernetesObject): Release[] {
  try {
    return [parseRelease(map)];
  } catch (thrown) {
    if (thrown instanceof SerinError) return [];
    throw thrown;
  }
}
