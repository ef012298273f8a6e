import { SerinError } from "../core/mod.ts";
import { kindMissing } from "./kind_missing.ts";
import type { ObjectReference } from "./kubernetes_object.ts";

/** A kind's place in the REST API. */
export interface Resource {
  readonly kind: string;
  /** The plural of the path, e.g. `deployments`. */
  readonly name: string;
  readonly namespaced: boolean;
}

/** Kinds → REST paths, as the server tells them; kept, and read anew for a kind that is not known. */
export class Discovery {
  readonly #fetchGroup: (path: string) => Promise<unknown>;
  readonly #groups = new Map<string, Promise<ReadonlyMap<string, Resource>>>();

  /** @param fetchGroup reads `/api/v1` or `/apis/GROUP/VERSION`; undefined on 404 */
  constructor(fetchGroup: (path: string) => Promise<unknown>) {
    this.#fetchGroup = fetchGroup;
  }

  /** @throws {SerinError} `not_found` (see `isKindMissing`) */
  async resourceOf({ apiVersion, kind }: { apiVersion: string; kind: string }): Promise<Resource> {
    const isKept = this.#groups.has(apiVersion);
    const found = (await this.#group(apiVersion)).get(kind);
    if (found !== undefined) return found;
    if (isKept) {
      this.forget(apiVersion);
      const anew = (await this.#group(apiVersion)).get(kind);
      if (anew !== undefined) return anew;
    }
    this.forget(apiVersion);
    throw kindMissing(apiVersion, kind);
  }

  /** Reads the group anew the next time: a CRD was taken away, or came. */
  forget(apiVersion: string): void {
    this.#groups.delete(apiVersion);
  }

  #group(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    const kept = this.#groups.get(apiVersion);
    if (kept !== undefined) return kept;
    const reading = this.#fetchGroup(groupPath(apiVersion)).then(resourcesOf);
    this.#groups.set(apiVersion, reading);
    reading.catch(() => {
      if (this.#groups.get(apiVersion) === reading) this.#groups.delete(apiVersion);
    });
    return reading;
  }
}

/** @returns e.g. `/apis/apps/v1`, `/api/v1` */
export function groupPath(apiVersion: string): string {
  const parts = apiVersion.split("/").map(encodeURIComponent).join("/");
  return apiVersion.includes("/") ? `/apis/${parts}` : `/api/${parts}`;
}

/** @returns the path of one object, or of all of its kind where `name` is undefined */
export function pathOf(
  resource: Resource,
  ref: Omit<ObjectReference, "name"> & { readonly name?: string },
  subresource?: string,
): string {
  const { apiVersion, namespace, name } = ref;
  const parts = resource.namespaced && namespace !== undefined ? ["namespaces", namespace] : [];
  parts.push(resource.name);
  if (name !== undefined) parts.push(checkedName(name, ref.kind));
  if (subresource !== undefined) parts.push(subresource);
  return `${groupPath(apiVersion)}/${parts.map(encodeURIComponent).join("/")}`;
}

/** An empty name would address the whole collection. */
function checkedName(name: string, kind: string): string {
  if (name !== "" && name !== "." && name !== "..") return name;
  throw new SerinError("invalid_input", `Not a name of a ${kind}: ${JSON.stringify(name)}`);
}

function resourcesOf(answer: unknown): ReadonlyMap<string, Resource> {
  const { resources = [] } = (answer ?? {}) as { resources?: readonly Resource[] };
  return new Map(
    resources.filter(({ name }) => !name.includes("/"))
      .map(({ kind, name, namespaced }) => [kind, { kind, name, namespaced }]),
  );
}
