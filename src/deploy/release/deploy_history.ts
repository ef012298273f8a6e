import type { AliasChange } from "../../control/mod.ts";
import { diffValues, type FieldChange } from "./object_diff.ts";
import type { Release } from "./release_record.ts";

/** A release, beside what it changed. */
export interface ReleaseEntry {
  readonly kind: "release";
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly release: Release;
  /** Of the settings, against the release before; undefined where that one is not known. */
  readonly changes: readonly FieldChange[] | undefined;
}

/** A move of the alias champion. */
export interface ChampionEntry {
  readonly kind: "champion";
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly model: string;
  /** undefined: the alias was removed. */
  readonly version: string | undefined;
  /** undefined: the model had no champion. */
  readonly previous: string | undefined;
  /** Who moved it: `api` (a request), `promotion`, … */
  readonly cause: string;
  readonly rollout: string | undefined;
}

/** What happened, one thing. */
export type HistoryEntry = ReleaseEntry | ChampionEntry;

/**
 * Puts releases and moves of champions together.
 *
 * @param releases the newest first
 * @param moves by model, the newest first; moves of other aliases are left out
 * @returns the newest first; of the same moment the release first
 *
 * @example A release and the champion that came after it
 * ```ts
 * import { mergeHistory } from "./mod.ts";
 * const move = { alias: "champion", version: "1", previous: null, time: 2, cause: "api", rollout: null };
 * const [first] = mergeHistory([], new Map([["iris", [move]]]));
 * console.assert(first.kind === "champion" && first.version === "1");
 * ```
 */
export function mergeHistory(
  releases: readonly Release[],
  moves: ReadonlyMap<string, readonly AliasChange[]>,
): HistoryEntry[] {
  const releaseEntries = releases.map((release, i): HistoryEntry => {
    const before = releases[i + 1];
    const changes = before === undefined
      ? undefined
      : diffValues(settingsOf(before), settingsOf(release));
    return { kind: "release", time: release.time, release, changes };
  });
  const championEntries = [...moves].flatMap(([model, changes]) =>
    changes.filter(({ alias }) => alias === "champion").map((change): HistoryEntry => ({
      kind: "champion",
      time: change.time,
      model,
      version: change.version ?? undefined,
      previous: change.previous ?? undefined,
      cause: change.cause,
      rollout: change.rollout ?? undefined,
    }))
  );
  // The sort is stable: what came first in its own list stays first.
  return [...releaseEntries, ...championEntries].toSorted((a, b) => b.time - a.time);
}

function settingsOf({ settings, overlay, serinVersion }: Release): Record<string, unknown> {
  return { overlay, serinVersion, ...settings };
}
