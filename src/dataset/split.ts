import { assert, SeededRandom } from "../core/mod.ts";

/** How rows are dealt to the three parts. */
export interface SplitOptions {
  /** `time`: in the order of the rows; `random`: by chance; `stratified`: by chance in each class. */
  readonly kind: "time" | "random" | "stratified";
  /** Share of the rows for validation, 0 to below 1. */
  readonly validation: number;
  /** Share of the rows for the test, 0 to below 1. */
  readonly test: number;
  /** Same seed, same parts. */
  readonly seed: number;
  /** One class a row, for `stratified`. */
  readonly classes?: ArrayLike<number>;
}

/** Row numbers of each part, ascending; together every row once. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/**
 * Deals rows to training, validation and test. With `time` the training part comes first and the test
 * part last, so that nothing learns from its future.
 *
 * @param rows how many there are
 */
export function splitRows(rows: number, options: SplitOptions): Split {
  const { validation, test } = options;
  assert(validation >= 0 && test >= 0 && validation + test < 1, "Shares must leave some to train");
  if (options.kind === "time") {
    return deal(Uint32Array.from({ length: rows }, (_, i) => i), options);
  }
  const random = new SeededRandom(options.seed);
  if (options.kind === "random") return deal(shuffledRows(rows, random), options);
  const { classes } = options;
  assert(classes !== undefined && classes.length === rows, "A stratified split needs the classes");
  const byClass = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    const members = byClass.get(classes[row]);
    if (members === undefined) byClass.set(classes[row], [row]);
    else members.push(row);
  }
  const parts = [...byClass.keys()].sort((a, b) => a - b).map((key) => {
    const members = byClass.get(key)!;
    return deal(shuffledRows(members.length, random).map((i) => members[i]), options);
  });
  return {
    train: joined(parts.map((part) => part.train)),
    validation: joined(parts.map((part) => part.validation)),
    test: joined(parts.map((part) => part.test)),
  };
}

/** The last rows are the test part, those before it validation. */
function deal(order: Uint32Array, { validation, test }: SplitOptions): Split {
  const testFrom = order.length - Math.round(order.length * test);
  const validationFrom = Math.max(testFrom - Math.round(order.length * validation), 0);
  return {
    train: order.slice(0, validationFrom).sort(),
    validation: order.slice(validationFrom, testFrom).sort(),
    test: order.slice(testFrom).sort(),
  };
}

/** Fisher and Yates's shuffle of 0 … rows - 1. */
function shuffledRows(rows: number, random: SeededRandom): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(random.unit() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all.sort();
}
