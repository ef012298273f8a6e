import { didYouMean } from "../core/mod.ts";
import type { GateCheck } from "./check.ts";
import type { GateModel, TensorContract } from "./gate_model.ts";
import type { GateSpec } from "./gate_spec.ts";

type Contract = Pick<GateModel, "inputs" | "outputs" | "missingAllowed">;

/** What the schemas' comparison found. */
export interface SchemaResult {
  readonly check: GateCheck;
  readonly warnings: readonly string[];
}

/**
 * Whether callers of the champion can be answered by the candidate without changing anything. The
 * same request goes to either version during a rollout, and a server refuses a request that lacks a
 * column or has one that the model does not take: so a new column breaks all callers, and so does a
 * dropped one, unless callers were changed first (`dropped_inputs: warn`).
 */
export function schemaCheck(
  candidate: Contract,
  champion: Contract,
  spec: GateSpec["schema"],
): SchemaResult {
  const problems: string[] = [], warnings: string[] = [];
  const by = (policy: "refuse" | "warn") => policy === "refuse" ? problems : warnings;
  const old = byName(champion.inputs), now = byName(candidate.inputs);
  const added = candidate.inputs.filter(({ name }) => !old.has(name));
  for (const { name, datatype } of added) {
    const near = didYouMean(name, old.keys());
    problems.push(
      `it needs the column "${name}" (${datatype}) that callers do not send` +
        (near === undefined ? "" : ` (${near})`),
    );
  }
  for (const { name } of champion.inputs) {
    const input = now.get(name);
    if (input === undefined) {
      by(spec.dropped_inputs).push(
        `it does not take the column "${name}" that callers send: such requests are refused`,
      );
      continue;
    }
    const problem = inputProblem(input, old.get(name)!);
    if (problem !== undefined) problems.push(problem);
  }
  if (champion.missingAllowed && !candidate.missingAllowed) {
    problems.push("it refuses missing values, which callers may send");
  }
  compareOutputs(candidate, champion, { problems, warnings, dropped: by(spec.dropped_outputs) });
  const counts = `${candidate.inputs.length} inputs, ${candidate.outputs.length} outputs`;
  return {
    warnings,
    check: {
      id: "schema",
      outcome: problems.length > 0 ? "refused" : "passed",
      limit: "callers need not change",
      sentence: problems.length > 0
        ? `callers of the champion would break: ${problems.join("; ")}`
        : `${counts}: callers of the champion need not change`,
    },
  };
}

function byName(tensors: readonly TensorContract[]): Map<string, TensorContract> {
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

const isFloat = (datatype: string) => datatype.startsWith("FP");

/** The range of whole numbers that a datatype takes, as exponents of two. */
function bitsOf(datatype: string): { low: number; high: number } {
  if (datatype === "BOOL") return { low: 0, high: 1 };
  const bits = Number(/\d+$/.exec(datatype)?.[0] ?? 64);
  return datatype.startsWith("U") ? { low: 0, high: bits } : { low: bits - 1, high: bits - 1 };
}

/** Serin takes numbers for any floating input, and whole numbers for a type that holds them. */
function inputProblem(now: TensorContract, old: TensorContract): string | undefined {
  const change = `the column "${now.name}" is ${now.datatype}, it was ${old.datatype}`;
  if (widthOf(now) !== widthOf(old)) {
    return `the column "${now.name}" has ${widthOf(now)} values a row, it had ${widthOf(old)}`;
  }
  if (now.datatype === old.datatype) return undefined;
  const wasText = old.datatype === "BYTES", isText = now.datatype === "BYTES";
  if (wasText !== isText) return change;
  if (isFloat(now.datatype)) return undefined;
  if (isFloat(old.datatype)) return `${change}: numbers with a fraction would be refused`;
  const [to, from] = [bitsOf(now.datatype), bitsOf(old.datatype)];
  return to.low >= from.low && to.high >= from.high
    ? undefined
    : `${change}: larger numbers would be refused`;
}

/** Values a row: the product of all dimensions but the first; NaN-free, -1 stays as it is. */
function widthOf({ shape }: TensorContract): number {
  return shape.slice(1).reduce((product, size) => product * size, 1);
}

function compareOutputs(
  candidate: Contract,
  champion: Contract,
  { problems, warnings, dropped }: { problems: string[]; warnings: string[]; dropped: string[] },
): void {
  const now = byName(candidate.outputs), old = byName(champion.outputs);
  for (const output of champion.outputs) {
    const other = now.get(output.name);
    if (other === undefined) {
      dropped.push(`it does not give the output "${output.name}" that callers read`);
    } else if (other.datatype !== output.datatype || widthOf(other) !== widthOf(output)) {
      const show = (tensor: TensorContract) => `${tensor.datatype} of ${widthOf(tensor)} a row`;
      problems.push(`the output "${output.name}" is ${show(other)}, it was ${show(output)}`);
    }
  }
  for (const { name } of candidate.outputs) {
    if (!old.has(name)) warnings.push(`it gives a new output "${name}"`);
  }
}
