/** What a check came to; `warned`: worth a look, no reason to stop. */
export type DataCheckOutcome = "passed" | "warned" | "refused";

/** One thing that was checked. */
export interface DataCheck {
  /** Unique in a report, e.g. `column.age.missing`. */
  readonly id: string;
  readonly outcome: DataCheckOutcome;
  /** What it says, with the numbers; starts lower case, no final period. */
  readonly sentence: string;
}

/** What a column held when the last model was made. */
export interface ReferenceColumn {
  readonly name: string;
  /** Share of rows without a value. */
  readonly missingRate: number;
  /** Rounded to float32, as the model sees it; undefined where every value was missing. */
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** What the last model was trained on. */
export interface ReferenceData {
  /** What it is called in the report. */
  readonly source: string;
  readonly rows: number;
  readonly columns: readonly ReferenceColumn[];
}

/** How much is too much. Shares are of rows, 0 to 1. */
export interface DataLimits {
  readonly rowsMin: number;
  /** Rows of the rarer class. */
  readonly classRowsMin: number;
  /** Share of missing values in a column. */
  readonly missingMax: number;
  /** By how much that share may be above the reference's. */
  readonly missingRiseMax: number;
  /** Share of a column's values outside the range of the reference. */
  readonly outOfRangeMax: number;
  /** Share of rows that repeat an earlier one. */
  readonly duplicatesMax: number;
}

/** Limits of those who name none. */
export const DATA_LIMITS: DataLimits = {
  rowsMin: 100,
  classRowsMin: 20,
  missingMax: 0.5,
  missingRiseMax: 0.1,
  outOfRangeMax: 0.1,
  duplicatesMax: 0.1,
};

/** @returns a share as text, e.g. `12.5 %` */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** @returns a check that is refused by what is wrong, or passed with what was seen */
export function judge(
  id: string,
  { isWrong, outcome = "refused", sentence }: {
    isWrong: boolean;
    outcome?: "warned" | "refused";
    sentence: string;
  },
): DataCheck {
  return { id, outcome: isWrong ? outcome : "passed", sentence };
}
