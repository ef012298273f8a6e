import { GraphBuilder } from "../onnx/mod.ts";

/**
 * Small models that behave, or misbehave, in one known way. All take two columns `a` and `b` (float32
 * [N,1]) and give `label` (int64 [N]) and `probabilities` (float32 [N,2]).
 */

/** P(1) = sigmoid(wa·a + wb·b); swapping the weights is the fault of swapped columns. */
export function linearModel(wa = 1, wb = -1): Uint8Array {
  return finish(start(wa, wb), "p");
}

/** Fails where column `b` is above 0.9: a Gather whose index leaves its range. */
export function failingModel(): Uint8Array {
  const graph = start(1, -1)
    .initializer("limit", { type: "float32", dims: [1], data: [0.9] })
    .initializer("table", { type: "float32", dims: [1], data: [0] })
    .node({ op: "Greater", inputs: ["b", "limit"], outputs: ["above"] })
    .node({ op: "Cast", inputs: ["above"], outputs: ["index"], attributes: { to: { int: 7 } } })
    .node({ op: "Gather", inputs: ["table", "index"], outputs: ["nothing"] })
    .node({ op: "Add", inputs: ["p", "nothing"], outputs: ["q"] });
  return finish(graph, "q");
}

/** Answers NaN where column `b` is above 0.9: the logarithm of a negative number. */
export function nonFiniteModel(): Uint8Array {
  const graph = start(1, -1)
    .initializer("limit", { type: "float32", dims: [1], data: [0.9] })
    .initializer("zero", { type: "float32", dims: [1], data: [0] })
    .node({ op: "Sub", inputs: ["limit", "b"], outputs: ["below"] })
    .node({ op: "Log", inputs: ["below"], outputs: ["log"] })
    .node({ op: "Mul", inputs: ["log", "zero"], outputs: ["nothing"] })
    .node({ op: "Add", inputs: ["p", "nothing"], outputs: ["q"] });
  return finish(graph, "q");
}

/**
 * Where column `b` is above 0.9, computes for longer than an isolate may be silent: a product of two
 * 10240×10240 matrices, more than 30 s, in which WebAssembly cannot be interrupted.
 */
export function hangingModel(): Uint8Array {
  return finish(multiply(start(1, -1), { above: 0.9, size: 10240 }), "q");
}

/**
 * As {@linkcode linearModel}, and multiplies square matrices of that size first, to be slow.
 *
 * @param above only where column `b` is above it; default always, the warm-up included
 */
export function slowModel(size: number, above = -1e9): Uint8Array {
  return finish(multiply(start(1, -1), { above, size }), "q");
}

/** Has an operator that no engine knows. */
export function unknownOperatorModel(): Uint8Array {
  return new GraphBuilder()
    .input("a", "float32", ["N", 1])
    .node({ op: "Frobnicate", inputs: ["a"], outputs: ["y"] })
    .output("y", "float32", ["N", 1])
    .build();
}

const KEEP_NO_DIMENSIONS = { keepdims: { int: 0 } };

/**
 * From `b` and `p` to `q`, the same value: first multiplies two square matrices of zeros where a `b` is
 * above the limit. Their size comes from the input, for a constant is worked out when a model is loaded.
 */
function multiply(graph: GraphBuilder, at: { above: number; size: number }): GraphBuilder {
  return graph
    .initializer("limit", { type: "float32", dims: [1], data: [at.above] })
    .initializer("more", { type: "int64", dims: [1], data: [at.size - 1] })
    .initializer("one", { type: "int64", dims: [1], data: [1] })
    .node({ op: "Greater", inputs: ["b", "limit"], outputs: ["above"] })
    .node({ op: "Cast", inputs: ["above"], outputs: ["flag"], attributes: { to: { int: 7 } } })
    .node({ op: "ReduceMax", inputs: ["flag"], outputs: ["any"], attributes: KEEP_NO_DIMENSIONS })
    .node({ op: "Mul", inputs: ["any", "more"], outputs: ["added"] })
    .node({ op: "Add", inputs: ["added", "one"], outputs: ["length"] })
    .node({
      op: "Concat",
      inputs: ["length", "length"],
      outputs: ["shape"],
      attributes: { axis: { int: 0 } },
    })
    .node({ op: "ConstantOfShape", inputs: ["shape"], outputs: ["m"] })
    .node({ op: "MatMul", inputs: ["m", "m"], outputs: ["mm"] })
    .node({ op: "ReduceMax", inputs: ["mm"], outputs: ["zero"], attributes: KEEP_NO_DIMENSIONS })
    .node({ op: "Add", inputs: ["p", "zero"], outputs: ["q"] });
}

function start(wa: number, wb: number): GraphBuilder {
  return new GraphBuilder()
    .input("a", "float32", ["N", 1])
    .input("b", "float32", ["N", 1])
    .initializer("weights", { type: "float32", dims: [2, 1], data: [wa, wb] })
    .node({ op: "Concat", inputs: ["a", "b"], outputs: ["x"], attributes: { axis: { int: 1 } } })
    .node({ op: "MatMul", inputs: ["x", "weights"], outputs: ["z"] })
    .node({ op: "Sigmoid", inputs: ["z"], outputs: ["p"] });
}

/** From P(1), [N,1], to label and probabilities. */
function finish(graph: GraphBuilder, p: string): Uint8Array {
  return graph
    .initializer("half", { type: "float32", dims: [1], data: [0.5] })
    .initializer("unit", { type: "float32", dims: [1], data: [1] })
    .initializer("flat", { type: "int64", dims: [1], data: [-1] })
    .node({ op: "Sub", inputs: ["unit", p], outputs: ["p0"] })
    .node({
      op: "Concat",
      inputs: ["p0", p],
      outputs: ["probabilities"],
      attributes: { axis: { int: 1 } },
    })
    .node({ op: "GreaterOrEqual", inputs: [p, "half"], outputs: ["positive"] })
    .node({ op: "Cast", inputs: ["positive"], outputs: ["label2"], attributes: { to: { int: 7 } } })
    .node({ op: "Reshape", inputs: ["label2", "flat"], outputs: ["label"] })
    .output("label", "int64", ["N"])
    .output("probabilities", "float32", ["N", 2])
    .build();
}
