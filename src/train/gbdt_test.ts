import { SeededRandom } from "../core/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { type GbdtOptions, GbdtTrainer } from "./gbdt.ts";
import { logisticLoss } from "./loss/logistic.ts";
import { squaredLoss } from "./loss/squared.ts";
import type { LabelledRows } from "./trainer.ts";
import { ensembleScores, type Tree } from "./tree_ensemble.ts";

const OPTIONS: GbdtOptions = {
  trees: 50,
  leaves: 8,
  maxDepth: 0,
  minDataInLeaf: 5,
  lambdaL2: 0,
  learningRate: 0.2,
  bins: 255,
  earlyStopping: 0,
};
const NO_ROWS: LabelledRows = {
  rows: 0,
  features: [new Float32Array(0), new Float32Array(0)],
  labels: new Float64Array(0),
};

/** Two features uniform over [-1, 1); labels from a function of them. */
function table(rows: number, seed: number, label: (a: number, b: number) => number): LabelledRows {
  const random = new SeededRandom(seed);
  const features = [0, 1].map(() =>
    Float32Array.from({ length: rows }, () => 2 * random.unit() - 1)
  );
  const labels = Float64Array.from(
    { length: rows },
    (_, i) => label(features[0][i], features[1][i]),
  );
  return { rows, features, labels };
}

const xor = (a: number, b: number) => a * b > 0 ? 1 : 0;

function depthOf(tree: Tree): number {
  const visit = (node: number): number =>
    node < 0 ? 0 : 1 + Math.max(visit(tree.left[node]), visit(tree.right[node]));
  return tree.feature.length === 0 ? 0 : visit(0);
}

Deno.test("learns what no single feature tells", () => {
  const train = table(2000, 1, xor), test = table(500, 2, xor);
  const { ensemble } = new GbdtTrainer(logisticLoss, OPTIONS).fit(train, NO_ROWS);
  const scores = ensembleScores(ensemble, test.features, test.rows);
  const right = scores.filter((score, i) => (score > 0 ? 1 : 0) === test.labels[i]).length;
  assertTrue(right > 0.97 * test.rows, `${right} of ${test.rows} right`);
});

Deno.test("regression: near the function that made the labels", () => {
  const f = (a: number, b: number) => 10 + 3 * a - b * b;
  const train = table(3000, 1, f), test = table(500, 2, f);
  const { ensemble } = new GbdtTrainer(squaredLoss, OPTIONS).fit(train, NO_ROWS);
  const loss = squaredLoss.mean(ensembleScores(ensemble, test.features, test.rows), test.labels);
  assertTrue(loss < 0.01, `loss ${loss}`);
});

Deno.test("missing values go where the labels say", () => {
  for (const missingLabel of [0, 1]) {
    const train = table(1000, 3, (a) => a > 0 ? 1 : 0);
    for (let i = 0; i < 300; i++) [train.features[0][i], train.labels[i]] = [NaN, missingLabel];
    const { ensemble } = new GbdtTrainer(logisticLoss, OPTIONS).fit(train, NO_ROWS);
    const ask = [Float32Array.of(NaN, -0.5, 0.5), new Float32Array(3)];
    const answers = [...ensembleScores(ensemble, ask, 3)].map((score) => score > 0 ? 1 : 0);
    assertEquals(answers, [missingLabel, 0, 1]);
  }
});

Deno.test("a feature that is missing or not is a feature", () => {
  const train = table(400, 4, () => 0);
  for (let i = 0; i < 400; i++) {
    train.features[0][i] = i % 2 === 0 ? NaN : 7;
    train.labels[i] = i % 2;
  }
  const { ensemble } = new GbdtTrainer(logisticLoss, OPTIONS).fit(train, NO_ROWS);
  const scores = ensembleScores(ensemble, [Float32Array.of(NaN, 7, 9), new Float32Array(3)], 3);
  assertEquals([...scores].map((score) => score > 0), [false, true, true]);
});

Deno.test("bounds of a tree: leaves, depth, rows of a leaf", () => {
  const train = table(2000, 5, (a, b) => Math.sin(9 * a) + b > 0 ? 1 : 0);
  const most = { ...OPTIONS, trees: 5, leaves: 31 };
  const trees = (options: Partial<GbdtOptions>) =>
    new GbdtTrainer(logisticLoss, { ...most, ...options }).fit(train, NO_ROWS).ensemble.trees;
  for (const tree of trees({})) assertEquals(tree.leafValues.length, 31);
  for (const tree of trees({ maxDepth: 3 })) assertTrue(depthOf(tree) <= 3, `${depthOf(tree)}`);
  for (const tree of trees({ minDataInLeaf: 500 })) assertTrue(tree.leafValues.length <= 4, "rows");
});

Deno.test("early stopping keeps the round of the least validation loss", () => {
  const noisy = (seed: number) => {
    const random = new SeededRandom(seed);
    return table(400, seed, (a) => (a > 0) !== (random.unit() < 0.3) ? 1 : 0);
  };
  const options = { ...OPTIONS, trees: 300, earlyStopping: 10 };
  const fitted = new GbdtTrainer(logisticLoss, options).fit(noisy(1), noisy(2));
  const { validationLosses: losses, bestRound, ensemble } = fitted;
  assertEquals(losses.indexOf(Math.min(...losses)) + 1, bestRound);
  assertEquals(losses.length, bestRound + 10);
  assertEquals(ensemble.trees.length, bestRound);
});

Deno.test("nothing to learn: the base score alone", () => {
  const train = table(100, 6, () => 3);
  const { ensemble } = new GbdtTrainer(squaredLoss, OPTIONS).fit(train, NO_ROWS);
  assertEquals(ensemble.trees.length, 1);
  assertEquals([...ensembleScores(ensemble, train.features, 2)], [3, 3]);
});

Deno.test("same rows, same trees", () => {
  const fit = () => new GbdtTrainer(logisticLoss, OPTIONS).fit(table(500, 7, xor), NO_ROWS);
  assertEquals(fit(), fit());
});
