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
   * bin holds its lower bound as well. Where the least value fills a bin, that bin has no width. */
  readonly edges: readonly number[];
  /** Values in each bin. */
  readonly counts: readonly number[];
  /** Few values, each many times: every bin is one of them, its upper bound, and no other is known. */
  readonly discrete: boolean;
}

/** How many bins a profile has at most. */
const PROFILE_BINS = 20;
/** Rows that a value has on average, for a column with few of them to be called discrete. */
const DISCRETE_ROWS_MIN = 10;

const FLOAT32_MAX = 3.4028234663852886e38;

/** Profiles a column with bins of about equally many values (fewer where values repeat). */
export function profileColumn(name: string, values: Float32Array): ColumnProfile {
  const present = values.filter((value) => value === value).map(finite).sort();
  const rows = values.length, last = present.length - 1;
  const missing_rate = rows === 0 ? 0 : (rows - present.length) / rows;
  if (last < 0) {
    const none = { min: null, max: null, mean: null, edges: [], counts: [], discrete: false };
    return { name, rows, missing_rate, ...none };
  }
  const few = fewValues(present), discrete = few !== undefined;
  const edges = discrete ? [few[0], ...few] : quantileEdges(present);
  return { name, rows, missing_rate, ...describe(present, edges), discrete };
}

/** @returns the values in ascending order, where they are few and each is there many times */
function fewValues(sorted: Float32Array): number[] | undefined {
  const values: number[] = [];
  for (const value of sorted) {
    if (value === values.at(-1)) continue;
    values.push(value);
    if (values.length > PROFILE_BINS) return undefined;
  }
  return sorted.length >= DISCRETE_ROWS_MIN * values.length ? values : undefined;
}

function quantileEdges(sorted: Float32Array): number[] {
  const edges = [sorted[0]], last = sorted.length - 1;
  for (let i = 1; i <= PROFILE_BINS; i++) {
    const edge = sorted[Math.round(last * i / PROFILE_BINS)];
    // The second may repeat the first: else a pile at the least value would share its bin.
    if (edge > edges[edges.length - 1] || edges.length === 1) edges.push(edge);
  }
  return edges;
}

/** The largest float32 stands for infinity, which JSON cannot write. */
function finite(value: number): number {
  return Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, value));
}

/** Profiles probabilities with bins of equal width. */
export function profileProbabilities(name: string, values: Float32Array): ColumnProfile {
  const edges = Array.from({ length: PROFILE_BINS + 1 }, (_, i) => Math.fround(i / PROFILE_BINS));
  const present = values.slice().sort();
  const described = describe(present, edges);
  return { name, rows: values.length, missing_rate: 0, ...described, discrete: false };
}

function describe(sorted: Float32Array, edges: readonly number[]) {
  let sum = 0;
  for (const value of sorted) sum += value;
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const value of sorted) {
    while (bin < counts.length - 1 && value > edges[bin + 1]) bin++;
    counts[bin]++;
  }
  const length = sorted.length;
  return {
    min: length > 0 ? sorted[0] : null,
    max: length > 0 ? sorted[length - 1] : null,
    mean: length > 0 ? sum / length : null,
    edges,
    counts,
  };
}
