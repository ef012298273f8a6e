/**
 * How fast serin reads CSV and grows trees, one thread, wall time, the best of a few rounds:
 *
 *     scripts/deno run -A scripts/bench_train.ts [ROWS] [FEATURES] [TREES]
 *
 * Without arguments it takes data/elec2.csv whole. `tests/train_test.ts` runs it on a tiny table.
 */
import { SeededRandom } from "../src/core/mod.ts";
import { type Dataset, parseCsv } from "../src/dataset/mod.ts";
import { GbdtTrainer } from "../src/train/mod.ts";
import { logisticLoss } from "../src/train/loss/logistic.ts";

/** What is measured. */
export interface BenchOptions {
  /** The table; its last column is the target, 0 or 1. */
  readonly csv: Uint8Array;
  readonly trees: number;
  readonly leaves: number;
  readonly rounds: number;
}

/** @returns the best of the rounds */
export function run({ csv, trees, leaves, rounds }: BenchOptions) {
  let csvMs = Infinity, trainMs = Infinity;
  let dataset: Dataset | undefined;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    dataset = parseCsv(csv);
    csvMs = Math.min(csvMs, performance.now() - start);
  }
  const columns = dataset!.columns.map((c) => c.kind === "numeric" ? c.values : new Float64Array());
  const labels = columns.at(-1)!;
  const features = columns.slice(0, -1).map((values) => Float32Array.from(values));
  const options = {
    ...{ trees, leaves, maxDepth: 0, minDataInLeaf: 20, lambdaL2: 0, learningRate: 0.1 },
    ...{ bins: 255, earlyStopping: 0 },
  };
  const none = { rows: 0, features: [], labels: new Float64Array() };
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const train = { rows: labels.length, features, labels };
    new GbdtTrainer(logisticLoss, options).fit(train, none);
    trainMs = Math.min(trainMs, performance.now() - start);
  }
  return {
    rows: labels.length,
    features: features.length,
    csvMegabytesPerSecond: Math.round(csv.length / 1000 / csvMs),
    trainSeconds: Number((trainMs / 1000).toFixed(3)),
  };
}

/** A table of normal features; the target follows a few of them. */
export function syntheticCsv(rows: number, features: number): Uint8Array {
  const random = new SeededRandom(1);
  const normal = () => random.unit() + random.unit() + random.unit() - 1.5;
  const lines = [Array.from({ length: features }, (_, f) => `f${f}`).join(",") + ",target"];
  for (let row = 0; row < rows; row++) {
    const values = Array.from({ length: features }, normal);
    const score = 2 * values[0] + values[1] * values[2 % features] + 0.5 * normal();
    lines.push(`${values.map((value) => value.toFixed(6)).join(",")},${score > 0 ? 1 : 0}`);
  }
  return new TextEncoder().encode(lines.join("\n") + "\n");
}

if (import.meta.main) {
  const [rows, features = 28, trees = 100] = Deno.args.map(Number);
  const csv = rows === undefined
    ? Deno.readFileSync(new URL("../data/elec2.csv", import.meta.url))
    : syntheticCsv(rows, features);
  console.log(JSON.stringify(run({ csv, trees, leaves: 63, rounds: 3 })));
}
