import {
  ABOVE,
  BELOW,
  type ColumnPlace,
  NULLS,
  type SketchLayout,
  UNSEEN,
} from "./sketch_layout.ts";
import type { WindowCounts } from "./sketch_counts.ts";
import { type StabilityIndex, stabilityIndex } from "./stability_index.ts";

/** Rows that a ratio needs: of fewer, one odd request would be an alarm. */
export const RATIO_ROWS_MIN = 200;

/** How the values of a column in the window differ from those of training. */
export interface ColumnDrift {
  readonly column: string;
  /** Rows of the window, those without a value included. */
  readonly rows: number;
  /** Of the rows that have a value. */
  readonly psi: StabilityIndex;
  /** Share of rows without a value; undefined for fewer than {@linkcode RATIO_ROWS_MIN}. */
  readonly nullRatio: number | undefined;
  /** The same in training. */
  readonly referenceNullRatio: number;
  /** Share of the values that are out of training's range, or none of its few values. */
  readonly unseenRatio: number | undefined;
}

/** How the traffic of a version differs from what it was made with. */
export interface VersionDrift {
  readonly model: string;
  readonly version: string;
  /** Rows that were counted since the start. */
  readonly rowsTotal: number;
  readonly columns: readonly ColumnDrift[];
  /** Of the predicted probability, or number. */
  readonly predictionPsi: StabilityIndex | undefined;
}

/** Holds a window against the profile that its layout was made from. */
export function measureDrift(
  layout: SketchLayout,
  { words, rowsTotal }: WindowCounts,
): Omit<VersionDrift, "model" | "version"> {
  return {
    rowsTotal,
    columns: layout.columns.map((place) => columnDrift(place, words)),
    predictionPsi: layout.prediction && indexOf(layout.prediction, words),
  };
}

function columnDrift(place: ColumnPlace, words: Float64Array): ColumnDrift {
  const { reference, extras, bins } = place, psi = indexOf(place, words);
  const [nulls, below, above, unseen] = [NULLS, BELOW, ABOVE, UNSEEN].map((i) => words[extras + i]);
  // A column that had no value in training has no bins.
  const values = bins > 0 ? psi.rows : below + above, rows = values + nulls;
  const ratio = (part: number, of: number) => of >= RATIO_ROWS_MIN ? part / of : undefined;
  return {
    column: reference.name,
    rows,
    psi,
    nullRatio: ratio(nulls, rows),
    referenceNullRatio: reference.nullRatio,
    unseenRatio: ratio(below + above + unseen, values),
  };
}

function indexOf({ reference, at, bins }: ColumnPlace, words: Float64Array): StabilityIndex {
  return stabilityIndex(reference.counts, words.subarray(at, at + bins));
}
