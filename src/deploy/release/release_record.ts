import { z } from "zod";
import { LIMITS, SerinError, sha256Hex } from "../../core/mod.ts";
import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { listAt, textAt, textsAt } from "./object_fields.ts";

/** The label that a release's ConfigMap has, with its number. */
export const RELEASE_LABEL = "serin.dev/release";
const OUTCOME = "serin.dev/outcome";
const OBJECTS = "objects.json.gz";
const HEADER = "release.json";

/** How a release went: `applying` is also what a killed apply leaves behind. */
export type ReleaseOutcome = "applying" | "healthy" | "failed" | "interrupted";

const OUTCOMES: readonly string[] = ["applying", "healthy", "failed", "interrupted"];

const headerSchema = z.object({
  time: z.number(),
  by: z.string(),
  cause: z.string(),
  serinVersion: z.string(),
  overlay: z.string(),
  settings: z.record(z.string(), z.unknown()),
  digest: z.string(),
  images: z.array(z.string()),
});

/** What is known of a release without its objects. */
export interface Release {
  readonly number: number;
  /** When it was applied, milliseconds since the epoch. */
  readonly time: number;
  /** The user that the API server knew. */
  readonly by: string;
  /** E.g. `apply`, `rollback to release 3`. */
  readonly cause: string;
  readonly serinVersion: string;
  readonly overlay: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** SHA-256 of its objects: equal for what renders the same. */
  readonly digest: string;
  readonly images: readonly string[];
  readonly outcome: ReleaseOutcome;
}

/** What {@linkcode toConfigMap} writes down: all but the outcome, which comes later. */
export interface NewRelease extends Omit<Release, "outcome" | "digest" | "images"> {
  readonly namespace: string;
  readonly objects: readonly KubernetesObject[];
}

/** @returns the name of a release's ConfigMap */
export function releaseName(number: number): string {
  return `serin-release-${number}`;
}

/**
 * A release as a ConfigMap that cannot be changed: its objects compressed, all else readable.
 *
 * @throws {SerinError} `too_large` where the objects do not fit into a ConfigMap
 */
export async function toConfigMap(release: NewRelease): Promise<KubernetesObject> {
  const { number, namespace, objects, ...rest } = release;
  const packed = await gzip(JSON.stringify(objects));
  if (packed.length > LIMITS.releaseBytesMax) {
    throw new SerinError(
      "too_large",
      `Release ${number} has ${packed.length} bytes compressed, at most ` +
        `${LIMITS.releaseBytesMax} fit into a ConfigMap`,
      { hint: "leave objects out, or shorten their texts" },
    );
  }
  const header = { ...rest, digest: digestOf(objects), images: imagesOf(objects) };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: releaseName(number),
      namespace,
      labels: {
        "app.kubernetes.io/name": "serin",
        "app.kubernetes.io/part-of": "serin",
        "app.kubernetes.io/managed-by": "serin-deploy",
        [RELEASE_LABEL]: String(number),
      },
      annotations: { [OUTCOME]: "applying" },
    },
    immutable: true,
    data: { [HEADER]: `${JSON.stringify(header, null, 2)}\n` },
    binaryData: { [OBJECTS]: packed.toBase64() },
  };
}

/** @returns the change that notes how a release went (annotations are not part of what is immutable) */
export function outcomePatch(outcome: ReleaseOutcome): Readonly<Record<string, unknown>> {
  return { metadata: { annotations: { [OUTCOME]: outcome } } };
}

/** @throws {SerinError} `invalid_data` where the ConfigMap holds no release */
export function parseRelease(map: KubernetesObject): Release {
  const number = releaseNumber(map);
  const header = headerSchema.safeParse(parseJson(textAt(map, "data", HEADER)));
  if (number === undefined || !header.success) throw unreadable(map, "its header");
  const outcome = textsAt(map, "metadata", "annotations")[OUTCOME] ?? "applying";
  return {
    number,
    ...header.data,
    outcome: OUTCOMES.includes(outcome) ? outcome as ReleaseOutcome : "applying",
  };
}

/** @returns the number of a release's ConfigMap, undefined where it has none */
export function releaseNumber(map: KubernetesObject): number | undefined {
  const text = map.metadata.labels?.[RELEASE_LABEL] ?? "";
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** @throws {SerinError} `invalid_data` where they are not there or damaged */
export async function releaseObjects(map: KubernetesObject): Promise<KubernetesObject[]> {
  try {
    const packed = Uint8Array.fromBase64(textsAt(map, "binaryData")[OBJECTS] ?? "");
    const objects = JSON.parse(await gunzip(packed)) as KubernetesObject[];
    if (digestOf(objects) === parseRelease(map).digest) return objects;
  } catch (thrown) {
    if (thrown instanceof SerinError) throw thrown;
    throw unreadable(map, "its objects", thrown);
  }
  throw unreadable(map, "its objects (they do not fit their digest)");
}

/** @returns SHA-256 of the objects, whatever the order of their keys */
export function digestOf(objects: readonly KubernetesObject[]): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(objects.map(sorted))));
}

/** @returns the images that the objects' pods run, each once */
export function imagesOf(objects: readonly KubernetesObject[]): string[] {
  const images = objects.flatMap((object) => [
    ...podImages(object, "spec", "template", "spec"),
    ...podImages(object, "spec", "jobTemplate", "spec", "template", "spec"),
  ]);
  return [...new Set(images)].toSorted();
}

function podImages(object: KubernetesObject, ...path: readonly string[]): string[] {
  return ["initContainers", "containers"].flatMap((list) =>
    listAt(object, ...path, list).flatMap((container) => textAt(container, "image") ?? [])
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function unreadable(map: KubernetesObject, what: string, cause?: unknown): SerinError {
  return new SerinError(
    "invalid_data",
    `The ConfigMap ${map.metadata.name} is no release that can be read: ${what}`,
    {
      hint: "a newer serin may have written it; releases are listed by `serin deploy history`",
      cause,
    },
  );
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}
