/** The distribution of one column or of the predictions, to compare later data with. */
export interface ColumnProfile {
  readonly name: string;
  readonly rows: number;
  /** Share of rows without a value. */
  readonly missing_rate: number;
  /** Null where every value is missing. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Bounds of the bins, ascending, as float32: bin i holds edges[i] < x <= edges[i + 1]; the first
   * bin holds its lower bound as well. */
  readonly edges: readonly number[];
  /** Values in each bin. */
  readonly counts: readonly number[];
}

/** How many bins a profile has at most. */
const PROFILE_BINS = 20;

const FLOAT32_MAX = 3.4028234663852886e38;

/** Profiles a column with bins of about equally many values (fewer where values repeat). */
export function profileColumn(name: string, values: Float32Array): ColumnProfile {
  const present = values.filter((value) => value === value).map(finite).sort();
  const rows = values.length, last = present.length - 1;
  const missing_rate = rows === 0 ? 0 : (rows - present.length) / rows;
  if (last < 0) {
    return { name, rows, missing_rate, min: null, max: null, mean: null, edges: [], counts: [] };
  }
  const edges = new Set<number>();
  for (let i = 0; i <= PROFILE_BINS; i++) edges.add(present[Math.round(last * i / PROFILE_BINS)]);
  return { name, rows, missing_rate, ...describe(present, [...edges]) };
}

/** The largest float32 stands for infinity, which JSON cannot write. */
function finite(value: number): number {
  return Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, value));
}

/** Profiles probabilities with bins of equal width. */
export function profileProbabilities(name: string, values: Float32Array): ColumnProfile {
  const edges = Array.from({ length: PROFILE_BINS + 1 }, (_, i) => Math.fround(i / PROFILE_BINS));
  const present = values.slice().sort();
  return { name, rows: values.length, missing_rate: 0, ...describe(present, edges) };
}

function describe(sorted: Float32Array, edges: readonly number[]) {
  let sum = 0;
  for (const value of sorted) sum += value;
  const counts = new Array<number>(Math.max(edges.length - 1, 1)).fill(0);
  let bin = 0;
  for (const value of sorted) {
    while (bin < counts.length - 1 && value > edges[bin + 1]) bin++;
    counts[bin]++;
  }
  // A column with one value has one bin without width.
  const bounds = edges.length === 1 ? [edges[0], edges[0]] : edges;
  const length = sorted.length;
  return {
    min: length > 0 ? sorted[0] : null,
    max: length > 0 ? sorted[length - 1] : null,
    mean: length > 0 ? sum / length : null,
    edges: bounds,
    counts,
  };
}
