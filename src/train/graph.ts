import { type AttributeValue, GraphBuilder, ML_DOMAIN } from "../onnx/mod.ts";
import type { Predictor } from "./predictor.ts";
import type { Classes } from "./target.ts";
import type { Tree } from "./tree_ensemble.ts";

/** Names of tensors inside the graph, and of its outputs; no column may have one. */
export const RESERVED_NAMES = /^(serin\..*|label|probabilities|prediction)$/;

/**
 * The ONNX graph of a predictor: one input `[N, 1]` a raw column → Concat → trees → calibration →
 * outputs. Binary: `label` [N] (int64, or the target's own classes) and `probabilities` [N, 2] in the
 * order of the classes; regression: `prediction` [N].
 *
 * @param metadata the model's `metadata_props`
 */
export function buildGraph(
  predictor: Predictor,
  classes: Classes | undefined,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder({ metadata });
  for (const name of predictor.features) graph.input(name, "float32", ["N", 1]);
  let features = predictor.features[0];
  if (predictor.features.length > 1) {
    features = "serin.features";
    graph.node({
      op: "Concat",
      inputs: predictor.features,
      outputs: [features],
      attributes: { axis: { int: 1 } },
    });
  }
  graph.node({
    op: "TreeEnsembleRegressor",
    domain: ML_DOMAIN,
    inputs: [features],
    outputs: ["serin.score"],
    attributes: {
      n_targets: { int: 1 },
      aggregate_function: { string: "SUM" },
      post_transform: { string: "NONE" },
      base_values: { floats: [predictor.ensemble.baseScore] },
      ...treeAttributes(predictor.ensemble.trees),
    },
  });
  graph.initializer("serin.rows", { type: "int64", dims: [1], data: [-1] });
  if (predictor.objective === "binary") addClassOutputs(graph, predictor, classes ?? [0, 1]);
  else {
    graph.node({
      op: "Reshape",
      inputs: ["serin.score", "serin.rows"],
      outputs: ["prediction"],
    }).output("prediction", "float32", ["N"]);
  }
  return graph.build();
}

function addClassOutputs(graph: GraphBuilder, predictor: Predictor, classes: Classes): void {
  const constant = (name: string, value: number) =>
    graph.initializer(name, { type: "float32", dims: [1], data: [value] });
  let logit = "serin.score";
  if (predictor.calibration !== undefined) {
    constant("serin.slope", predictor.calibration.slope);
    constant("serin.offset", predictor.calibration.offset);
    graph.node({ op: "Mul", inputs: [logit, "serin.slope"], outputs: ["serin.scaled"] });
    graph.node({ op: "Add", inputs: ["serin.scaled", "serin.offset"], outputs: ["serin.logit"] });
    logit = "serin.logit";
  }
  constant("serin.one", 1);
  constant("serin.half", 0.5);
  graph
    .node({ op: "Sigmoid", inputs: [logit], outputs: ["serin.p1"] })
    .node({ op: "Sub", inputs: ["serin.one", "serin.p1"], outputs: ["serin.p0"] })
    .node({
      op: "Concat",
      inputs: ["serin.p0", "serin.p1"],
      outputs: ["probabilities"],
      attributes: { axis: { int: 1 } },
    })
    .node({ op: "Reshape", inputs: ["serin.p1", "serin.rows"], outputs: ["serin.flat"] })
    .node({ op: "GreaterOrEqual", inputs: ["serin.flat", "serin.half"], outputs: ["serin.is1"] });
  addLabel(graph, classes);
  graph.output("probabilities", "float32", ["N", 2]);
}

function addLabel(graph: GraphBuilder, classes: Classes): void {
  const type = labelType(classes);
  const plain = classes[0] === 0 && classes[1] === 1;
  graph.node({
    op: "Cast",
    inputs: ["serin.is1"],
    outputs: [plain ? "label" : "serin.class"],
    attributes: { to: { int: 7 } },
  });
  if (!plain) {
    graph.node({
      op: "LabelEncoder",
      domain: ML_DOMAIN,
      inputs: ["serin.class"],
      outputs: ["label"],
      attributes: { keys_int64s: { ints: [0, 1] }, ...labelValues(classes) },
    });
  }
  graph.output("label", type, ["N"]);
}

function labelValues(classes: Classes): Record<string, AttributeValue> {
  switch (labelType(classes)) {
    case "string":
      return { values_strings: { strings: classes as readonly string[] } };
    case "int64":
      return { values_int64s: { ints: classes as readonly number[] } };
    case "float32":
      return { values_floats: { floats: classes as readonly number[] } };
  }
}

/** The type of the `label` output. */
export function labelType(classes: Classes): "string" | "int64" | "float32" {
  if (typeof classes[0] === "string") return "string";
  return classes.every((value) => Number.isSafeInteger(value)) ? "int64" : "float32";
}

/** Nodes in preorder, the true branch first, so that a walk mostly goes to the next entry. */
function treeAttributes(trees: readonly Tree[]) {
  const treeIds: number[] = [], nodeIds: number[] = [], featureIds: number[] = [];
  const values: number[] = [],
    modes: string[] = [],
    trueIds: number[] = [],
    falseIds: number[] = [];
  const missing: number[] = [];
  const leafTrees: number[] = [], leafNodes: number[] = [], weights: number[] = [];
  trees.forEach((tree, treeId) => {
    let next = 0;
    const visit = (child: number): number => {
      const id = next++, at = nodeIds.length, leaf = child < 0;
      treeIds.push(treeId);
      nodeIds.push(id);
      featureIds.push(leaf ? 0 : tree.feature[child]);
      values.push(leaf ? 0 : tree.threshold[child]);
      modes.push(leaf ? "LEAF" : "BRANCH_LEQ");
      missing.push(leaf ? 0 : tree.missingLeft[child]);
      trueIds.push(0);
      falseIds.push(0);
      if (leaf) {
        leafTrees.push(treeId);
        leafNodes.push(id);
        weights.push(tree.leafValues[~child]);
      } else {
        trueIds[at] = visit(tree.left[child]);
        falseIds[at] = visit(tree.right[child]);
      }
      return id;
    };
    visit(tree.feature.length === 0 ? -1 : 0);
  });
  return {
    nodes_treeids: { ints: treeIds },
    nodes_nodeids: { ints: nodeIds },
    nodes_featureids: { ints: featureIds },
    nodes_values: { floats: values },
    nodes_modes: { strings: modes },
    nodes_truenodeids: { ints: trueIds },
    nodes_falsenodeids: { ints: falseIds },
    nodes_missing_value_tracks_true: { ints: missing },
    target_treeids: { ints: leafTrees },
    target_nodeids: { ints: leafNodes },
    target_ids: { ints: leafTrees.map(() => 0) },
    target_weights: { floats: weights },
  };
}
