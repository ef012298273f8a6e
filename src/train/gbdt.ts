import { assert } from "../core/mod.ts";
import { binFeatures } from "./binned_features.ts";
import type { Loss } from "./loss/loss.ts";
import { packGradients } from "./packed_gradient.ts";
import type { Fitted, LabelledRows, OnRound, Trainer } from "./trainer.ts";
import { addTree, type Tree } from "./tree_ensemble.ts";
import { type GrowOptions, TreeGrower } from "./tree_grower.ts";

/** Settings of gradient-boosted decision trees. */
export interface GbdtOptions extends GrowOptions {
  /** Most rounds; one tree each. */
  readonly trees: number;
  /** Most bins of a feature, 2 … 255. */
  readonly bins: number;
  /** Rounds without a better validation loss before it stops; 0: never. */
  readonly earlyStopping: number;
}

/**
 * Gradient boosting with Newton steps (Friedman 2001; Chen and Guestrin 2016) over histograms (Ke et
 * al., NIPS 2017). Histograms hold sums of integers, which are exact in any order; no random number is
 * drawn. So the same rows in the same order give the same trees.
 */
export class GbdtTrainer implements Trainer {
  readonly #loss: Loss;
  readonly #options: GbdtOptions;

  constructor(loss: Loss, options: GbdtOptions) {
    this.#loss = loss;
    this.#options = options;
  }

  fit(train: LabelledRows, validation: LabelledRows, onRound?: OnRound): Fitted {
    const { rows, labels } = train;
    assert(rows > 0 && train.features.length > 0, "Training needs rows and features");
    const binned = binFeatures(train.features, rows, this.#options.bins);
    const grower = new TreeGrower(binned, this.#options);
    const baseScore = Math.fround(this.#loss.startScore(labels));
    const scores = new Float64Array(rows).fill(baseScore);
    const gradient = new Float64Array(rows), hessian = new Float64Array(rows);
    const packed = new Float64Array(rows);
    const watch = new ValidationWatch(this.#loss, validation, baseScore);
    const trees: Tree[] = [];
    while (trees.length < this.#options.trees) {
      this.#loss.derivatives(scores, labels, gradient, hessian);
      const scale = packGradients(gradient, hessian, packed);
      if (scale === undefined) break;
      const tree = grower.grow(packed, scale);
      if (tree.feature.length === 0) break;
      grower.addTo(scores, tree);
      trees.push(tree);
      const loss = watch.add(tree);
      onRound?.(trees.length, loss);
      if (
        watch.roundsSinceBest() >= this.#options.earlyStopping && this.#options.earlyStopping > 0
      ) {
        break;
      }
    }
    const stops = this.#options.earlyStopping > 0 && watch.losses.length > 0;
    const bestRound = stops ? watch.bestRound : trees.length;
    const kept = trees.slice(0, bestRound);
    // A runtime wants at least one tree: where there is nothing to learn, one that adds nothing.
    return {
      ensemble: { baseScore, trees: kept.length > 0 ? kept : [nothingLearned()] },
      validationLosses: watch.losses,
      bestRound,
    };
  }
}

/** Follows the loss on the validation rows, with the very sums that a runtime will make. */
class ValidationWatch {
  readonly losses: number[] = [];
  bestRound = 0;
  readonly #loss: Loss;
  readonly #validation: LabelledRows;
  readonly #baseScore: number;
  readonly #sums: Float32Array;
  readonly #scores: Float32Array;

  constructor(loss: Loss, validation: LabelledRows, baseScore: number) {
    this.#loss = loss;
    this.#validation = validation;
    this.#baseScore = baseScore;
    this.#sums = new Float32Array(validation.rows);
    this.#scores = new Float32Array(validation.rows);
  }

  add(tree: Tree): number | undefined {
    const { rows, features, labels } = this.#validation;
    if (rows === 0) return undefined;
    addTree(tree, features, this.#sums);
    for (let row = 0; row < rows; row++) this.#scores[row] = this.#sums[row] + this.#baseScore;
    const loss = this.#loss.mean(this.#scores, labels);
    this.losses.push(loss);
    if (this.bestRound === 0 || loss < this.losses[this.bestRound - 1]) {
      this.bestRound = this.losses.length;
    }
    return loss;
  }

  /** 0 without validation rows. */
  roundsSinceBest(): number {
    return this.losses.length - this.bestRound;
  }
}

function nothingLearned(): Tree {
  return {
    feature: new Int32Array(0),
    threshold: new Float32Array(0),
    missingLeft: new Uint8Array(0),
    left: new Int32Array(0),
    right: new Int32Array(0),
    leafValues: new Float32Array(1),
  };
}
