import type { BinnedFeatures } from "./binned_features.ts";
import { type GradientScale, packedGradient, packedHessian } from "./packed_gradient.ts";
import { findSplit, type Split } from "./split_search.ts";
import type { Tree } from "./tree_ensemble.ts";

/** What bounds a tree. */
export interface GrowOptions {
  readonly leaves: number;
  /** Most splits between the root and a leaf; 0: no limit. */
  readonly maxDepth: number;
  readonly minDataInLeaf: number;
  readonly lambdaL2: number;
  readonly learningRate: number;
}

/** LightGBM's `min_sum_hessian_in_leaf`. */
const HESSIAN_MIN = 1e-3;

/** A leaf while its tree grows. */
interface Leaf {
  /** Its rows are `#order[start, start + count)`. */
  start: number;
  count: number;
  depth: number;
  /** Packed sum of its rows. */
  total: number;
  histogram: Float64Array;
  split: Split | undefined;
  /** Where the tree points at it: an inner node, and whether by its right side. */
  parent: number;
  isRight: boolean;
}

/**
 * Grows trees leaf by leaf, the leaf of the largest gain first (Shi 2007; LightGBM), over histograms
 * of packed derivatives. Only the smaller child of a split is counted; the larger one's histogram is
 * the parent's less the smaller's, exactly, because the sums are integers.
 */
export class TreeGrower {
  readonly #binned: BinnedFeatures;
  readonly #options: GrowOptions;
  readonly #order: Uint32Array;
  readonly #aside: Uint32Array;
  readonly #pool: Float64Array[] = [];
  #leaves: Leaf[] = [];

  constructor(binned: BinnedFeatures, options: GrowOptions) {
    this.#binned = binned;
    this.#options = options;
    this.#order = new Uint32Array(binned.rows);
    this.#aside = new Uint32Array(binned.rows);
  }

  /**
   * Grows one tree.
   *
   * @param packed the rows' packed derivatives, see `packGradients`
   */
  grow(packed: Float64Array, scale: GradientScale): Tree {
    const { leaves } = this.#options;
    this.#plantRoot(packed, scale);
    const feature: number[] = [], threshold: number[] = [], missingLeft: number[] = [];
    const left: number[] = [], right: number[] = [];
    while (this.#leaves.length < leaves) {
      const at = this.#mostGainful();
      if (at < 0) break;
      const leaf = this.#leaves[at], split = leaf.split!;
      const node = feature.length;
      feature.push(split.feature);
      threshold.push(this.#binned.bounds[split.feature][split.bin]);
      missingLeft.push(split.missingLeft ? 1 : 0);
      left.push(~at);
      right.push(~this.#leaves.length);
      if (leaf.parent >= 0) (leaf.isRight ? right : left)[leaf.parent] = node;
      this.#divide(leaf, split, node, packed, scale);
    }
    const values = this.#leaves.map((leaf) => this.#leafValue(leaf.total, scale));
    for (const leaf of this.#leaves) this.#pool.push(leaf.histogram);
    return {
      feature: Int32Array.from(feature),
      threshold: Float32Array.from(threshold),
      missingLeft: Uint8Array.from(missingLeft),
      left: Int32Array.from(left),
      right: Int32Array.from(right),
      leafValues: Float32Array.from(values),
    };
  }

  /** Adds the tree that was grown last to the training rows' scores, without walking it. */
  addTo(scores: Float64Array, tree: Tree): void {
    this.#leaves.forEach(({ start, count }, i) => {
      const value = tree.leafValues[i];
      for (let at = start; at < start + count; at++) scores[this.#order[at]] += value;
    });
  }

  #plantRoot(packed: Float64Array, scale: GradientScale): void {
    const { rows, offsets } = this.#binned, order = this.#order;
    for (let row = 0; row < rows; row++) order[row] = row;
    const histogram = this.#takeHistogram();
    this.#count(histogram, 0, rows, packed);
    let total = 0;
    for (let at = 0; at < offsets[1]; at++) total += histogram[at];
    const root = { start: 0, count: rows, depth: 0, total, histogram, parent: -1, isRight: false };
    this.#leaves = [{ ...root, split: this.#search(root, scale) }];
  }

  #mostGainful(): number {
    let best = -1, gain = 0;
    this.#leaves.forEach((leaf, i) => {
      if (leaf.split !== undefined && leaf.split.gain > gain) [best, gain] = [i, leaf.split.gain];
    });
    return best;
  }

  /** Turns a leaf into its left child and adds the right one behind all leaves. */
  #divide(leaf: Leaf, split: Split, node: number, packed: Float64Array, scale: GradientScale) {
    const leftCount = this.#partition(leaf, split);
    const right: Leaf = {
      start: leaf.start + leftCount,
      count: leaf.count - leftCount,
      depth: leaf.depth + 1,
      total: leaf.total - split.left,
      histogram: this.#takeHistogram(),
      split: undefined,
      parent: node,
      isRight: true,
    };
    leaf.count = leftCount;
    leaf.depth++;
    leaf.total = split.left;
    leaf.parent = node;
    leaf.isRight = false;
    this.#leaves.push(right);
    leaf.split = undefined;
    if (this.#leaves.length === this.#options.leaves) return;
    const smaller = leaf.count <= right.count ? leaf : right;
    const rest = leaf.histogram, counted = right.histogram;
    this.#count(counted, smaller.start, smaller.count, packed);
    for (let at = 0; at < rest.length; at++) rest[at] -= counted[at];
    if (smaller === leaf) [leaf.histogram, right.histogram] = [counted, rest];
    leaf.split = this.#search(leaf, scale);
    right.split = this.#search(right, scale);
  }

  /** Stable division of a leaf's rows in place. @returns how many went left */
  #partition({ start, count }: Leaf, { feature, bin, missingLeft }: Split): number {
    const order = this.#order, aside = this.#aside, codes = this.#binned.byFeature[feature];
    // One past the value bins; without missing values to the left no code is equal to it.
    const missing = missingLeft ? this.#binned.bounds[feature].length : -1;
    let kept = start, moved = 0;
    for (let at = start; at < start + count; at++) {
      const row = order[at], code = codes[row];
      if (code <= bin || code === missing) order[kept++] = row;
      else aside[moved++] = row;
    }
    order.set(aside.subarray(0, moved), kept);
    return kept - start;
  }

  #search(leaf: Omit<Leaf, "split">, scale: GradientScale): Split | undefined {
    const { minDataInLeaf, maxDepth, lambdaL2 } = this.#options;
    if (leaf.count < 2 * minDataInLeaf || (maxDepth > 0 && leaf.depth >= maxDepth)) {
      return undefined;
    }
    const estimated = minDataInLeaf * packedHessian(leaf.total) / leaf.count - 0.5;
    return findSplit(leaf.histogram, leaf.total, this.#binned, {
      hessianMin: Math.max(estimated, HESSIAN_MIN / scale.hessian, 1),
      lambda: lambdaL2 / scale.hessian,
    });
  }

  #leafValue(total: number, scale: GradientScale): number {
    const { lambdaL2, learningRate } = this.#options;
    const gradient = packedGradient(total) * scale.gradient;
    const hessian = packedHessian(total) * scale.hessian;
    return Math.fround(-gradient / (hessian + lambdaL2) * learningRate);
  }

  /** The hot loop: one load, addition and store a row and feature. */
  #count(histogram: Float64Array, start: number, count: number, packed: Float64Array): void {
    const { byRow, features } = this.#binned, order = this.#order;
    histogram.fill(0);
    for (let at = start; at < start + count; at++) {
      const row = order[at], value = packed[row], end = (row + 1) * features;
      for (let place = row * features; place < end; place++) histogram[byRow[place]] += value;
    }
  }

  #takeHistogram(): Float64Array {
    const { offsets, features } = this.#binned;
    return this.#pool.pop() ?? new Float64Array(offsets[features]);
  }
}
