import { readModel } from "../onnx/mod.ts";

/** What `serin train` wrote into a graph; other models say nothing. */
export interface ModelTraining {
  readonly objective: "binary" | "regression" | undefined;
  readonly target: string | undefined;
  readonly dataset: string | undefined;
  /** Two classes, the one whose probability is given last. */
  readonly classes: readonly (number | string)[] | undefined;
}

/** @returns what a model's ONNX file says of its training */
export function readTraining(bytes: Uint8Array): ModelTraining {
  const { metadata } = readModel(bytes);
  const objective = metadata.get("serin.objective");
  return {
    objective: objective === "binary" || objective === "regression" ? objective : undefined,
    target: metadata.get("serin.target"),
    dataset: metadata.get("serin.dataset"),
    classes: readClasses(metadata.get("serin.classes")),
  };
}

function readClasses(text: string | undefined): ModelTraining["classes"] {
  try {
    const value = JSON.parse(text ?? "null");
    return Array.isArray(value) && value.length === 2 ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns whether a label may be what a model learns from: one of its classes, or a number; undefined
 *   where the model does not say what it was trained for
 */
export function labelTest(
  { objective, classes }: ModelTraining,
): ((label: string) => boolean) | undefined {
  if (objective === "regression") return (label) => numberOf(label) !== undefined;
  if (classes === undefined) return undefined;
  return (label) =>
    classes.some((one) => typeof one === "number" ? numberOf(label) === one : label === one);
}

function numberOf(label: string): number | undefined {
  const value = label.trim() === "" ? NaN : Number(label);
  return Number.isFinite(value) ? value : undefined;
}
