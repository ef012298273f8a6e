/**
 * A binary tree in arrays, one entry an inner node; the root is 0. A child at or above 0 is an inner
 * node, below 0 it is the leaf with the bitwise complement as its index.
 */
export interface Tree {
  readonly feature: Int32Array;
  /** A row goes left where its value <= threshold. */
  readonly threshold: Float32Array;
  /** 1 where a missing value (NaN) goes left. */
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** One float32 a leaf; a tree without inner nodes has one. */
  readonly leafValues: Float32Array;
}

/** A sum of trees over float32 features. */
export interface TreeEnsemble {
  /** Added to the trees' sum; a float32. */
  readonly baseScore: number;
  readonly trees: readonly Tree[];
}

/** Adds a tree's value to each row's sum, rounding to float32 as ONNX runtimes do. */
export function addTree(tree: Tree, features: readonly Float32Array[], sums: Float32Array): void {
  const { feature, threshold, missingLeft, left, right, leafValues } = tree;
  const inner = feature.length;
  for (let row = 0; row < sums.length; row++) {
    let node = inner === 0 ? -1 : 0;
    while (node >= 0) {
      const x = features[feature[node]][row];
      const goesLeft = x <= threshold[node] || (x !== x && missingLeft[node] === 1);
      node = goesLeft ? left[node] : right[node];
    }
    sums[row] += leafValues[~node];
  }
}

/**
 * Raw scores: the trees' values added in their order in float32, the base score last. This is the
 * order of onnxruntime's TreeEnsembleRegressor, so the results are the same bits.
 */
export function ensembleScores(
  ensemble: TreeEnsemble,
  features: readonly Float32Array[],
  rows: number,
): Float32Array<ArrayBuffer> {
  const sums = new Float32Array(rows);
  for (const tree of ensemble.trees) addTree(tree, features, sums);
  for (let row = 0; row < rows; row++) sums[row] += ensemble.baseScore;
  return sums;
}
