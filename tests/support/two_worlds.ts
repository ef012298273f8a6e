/** A world that changes: what makes `y` likely in the first one makes it unlikely in the second. */
import { SeededRandom } from "../../src/core/mod.ts";
import type { Json, Served } from "./workbench.ts";

/** Columns of one request, and what turned out to be true of each row. */
export interface Rows {
  readonly a: number[];
  readonly b: number[];
  readonly y: number[];
}

/** @param slope of P(y) = sigmoid(slope · (a − b)); its sign is the world */
export function drawRows(count: number, slope: number, random: SeededRandom): Rows {
  const a: number[] = [], b: number[] = [], y: number[] = [];
  for (let row = 0; row < count; row++) {
    a.push(Math.round(4000 * (random.unit() - 0.5)) / 1000);
    b.push(Math.round(4000 * (random.unit() - 0.5)) / 1000);
    y.push(random.unit() < 1 / (1 + Math.exp(-slope * (a[row] - b[row]))) ? 1 : 0);
  }
  return { a, b, y };
}

/** @returns the rows as a CSV file with the target `target` */
export function toCsv({ a, b, y }: Rows): string {
  return `a,b,target\n${a.map((value, row) => `${value},${b[row]},${y[row]}`).join("\n")}\n`;
}

/** Asks for all rows in one request and labels each. */
export async function askAndLabel(served: Served, model: string, rows: Rows): Promise<void> {
  const answer = await served.infer(model, { a: rows.a, b: rows.b });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const prediction = answer.json.parameters.serin_prediction;
  const labelled = await served.label(
    rows.y.map((label, row): Json => ({ prediction, row, label })),
  );
  if (labelled.status !== 200 || labelled.json.refused.length > 0) throw new Error(labelled.text);
}
