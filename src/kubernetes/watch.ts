import { backoffMs, type Clock, LIMITS, type Random, SerinError } from "../core/mod.ts";
import type { ObjectList, WatchEvent, WatchOptions } from "./kubernetes_client.ts";
import type { KubernetesObject } from "./kubernetes_object.ts";
import type { Sleep } from "./sleep.ts";
import { type ApiStatus, isExpired, statusError } from "./status_error.ts";

/** What a watch stands on. */
export interface WatchSource {
  readonly list: () => Promise<ObjectList>;
  /** Opens the stream of JSON lines. @throws {SerinError} for an answer that is not 2xx */
  readonly open: (
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<Response>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
}

/** A stream lasts so long and up to twice as much: a connection that died silently costs no more. */
const STREAM_SECONDS = 60;
/** Beyond the stream's end, until it counts as hung. */
const HANG_MS = 10_000;
/** A stream that ended sooner than this without an event counts as a failure. */
const SHORT_MS = 1000;

const RETRY = { firstMs: 500, capMs: 30_000 };

/** Errors that only somebody else can heal. */
const LASTING = new Set(["permission_denied", "unauthenticated", "not_found", "invalid_input"]);

interface Line {
  readonly type: string;
  readonly object: KubernetesObject & ApiStatus;
}

/** See `KubernetesClient.watch`. */
export async function* watchKind(
  source: WatchSource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const { signal } = options, known = new Map<string, KubernetesObject>();
  let version = options.resourceVersion, failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const listed = await source.list();
        if (signal.aborted) return;
        yield* differences(known, listed.items);
        version = listed.resourceVersion;
        options.onListed?.();
      }
      const opened = source.clock.monotonic();
      let events = 0;
      for await (const line of readStream(source, version, signal)) {
        events++;
        version = line.object.metadata.resourceVersion ?? version;
        if (line.type !== "BOOKMARK") yield remember(known, line);
      }
      const isShort = events === 0 && source.clock.monotonic() - opened < SHORT_MS;
      failures = isShort ? failures + 1 : 0;
    } catch (thrown) {
      if (signal.aborted) return;
      if (isExpired(thrown)) version = undefined;
      else if (thrown instanceof SerinError && LASTING.has(thrown.code)) throw thrown;
      options.onInterruption?.(thrown);
      failures++;
    }
    if (failures > 0) await source.sleep(backoffMs(failures, source.random, RETRY), signal);
  }
}

/** What a list says against what was handed out so far. */
function* differences(
  known: Map<string, KubernetesObject>,
  items: readonly KubernetesObject[],
): Generator<WatchEvent> {
  const present = new Set(items.map(keyOf));
  for (const [key, object] of [...known]) {
    if (present.has(key)) continue;
    known.delete(key);
    yield { type: "DELETED", object };
  }
  for (const object of items) {
    const before = known.get(keyOf(object));
    known.set(keyOf(object), object);
    if (before === undefined) yield { type: "ADDED", object };
    else if (before.metadata.resourceVersion !== object.metadata.resourceVersion) {
      yield { type: "MODIFIED", object };
    }
  }
}

function remember(known: Map<string, KubernetesObject>, { type, object }: Line): WatchEvent {
  if (type === "DELETED") known.delete(keyOf(object));
  else known.set(keyOf(object), object);
  return { type: type as WatchEvent["type"], object };
}

/** Deleted and made anew is another object. */
function keyOf({ metadata }: KubernetesObject): string {
  return metadata.uid ?? `${metadata.namespace ?? ""}/${metadata.name}`;
}

async function* readStream(
  { open, random }: WatchSource,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  const seconds = STREAM_SECONDS + random.uint32() % STREAM_SECONDS;
  const ending = new AbortController(), end = () => ending.abort();
  const hung = setTimeout(end, seconds * 1000 + HANG_MS);
  signal.addEventListener("abort", end);
  try {
    const answer = await open({
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion,
      timeoutSeconds: String(seconds),
    }, ending.signal);
    for await (const text of linesOf(answer)) yield parseLine(text);
  } finally {
    clearTimeout(hung);
    signal.removeEventListener("abort", end);
    // Whoever stops reading does not want the connection any more.
    end();
  }
}

function parseLine(text: string): Line {
  let line: Line;
  try {
    line = JSON.parse(text);
  } catch (cause) {
    throw new SerinError("unavailable", "A watch's line is no JSON: it was cut off", { cause });
  }
  if (line.type !== "ERROR") return line;
  const attempt = { verb: "watch", what: "what changes" };
  throw statusError(line.object?.code ?? 500, line.object, attempt);
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines.filter((line) => line !== "");
    if (rest.length > LIMITS.watchLineCharactersMax) {
      throw new SerinError("too_large", "A watch's line has more than the most characters", {
        details: { charactersMax: LIMITS.watchLineCharactersMax },
      });
    }
  }
}
