import { type CommandContext, openProgress } from "../cli/mod.ts";
import { sha256Hex, writeFileAtomic } from "../core/mod.ts";
import { sliceRows } from "../dataset/mod.ts";
import {
  configureOrt,
  type NamedTensor,
  readOrtWasm,
  ServedModel,
  toFeeds,
} from "../inference/mod.ts";
import { namingPath, parseModelUri, toModelFile } from "../serving/mod.ts";
import { readTable } from "./data_source.ts";
import { checkColumns, fetchModel, inputsOf } from "./offline_model.ts";

/** Rows that are run at once: bounds memory, and is past the point where batches get no faster. */
const BATCH_ROWS = 4096;

/** The options of `serin predict`. */
export interface PredictOptions {
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly json: boolean;
}

/** Predicts a file. */
export async function run(options: PredictOptions, context: CommandContext): Promise<void> {
  const uri = parseModelUri(options.model);
  const { name, version, bytes } = await fetchModel(uri, { ...options, uri: options.model });
  const dataset = await readTable("--input", options.input);
  configureOrt(readOrtWasm());
  await using model = await namingPath(
    uri,
    () => ServedModel.open(toModelFile(name, version, bytes)),
  );
  checkColumns(model.signature, dataset, options.input);
  const progress = openProgress({ interactive: context.interactive });
  const lines: string[] = [];
  for (let start = 0; start < dataset.rows; start += BATCH_ROWS) {
    const rows = sliceRows(dataset, start, start + BATCH_ROWS);
    const outputs = await model.run(
      toFeeds(model.signature, inputsOf(model.signature, rows, start)),
    );
    if (start === 0) lines.push(header(outputs, rows.rows));
    appendRows(lines, outputs, rows.rows);
    progress.update(`${start + rows.rows} of ${dataset.rows} rows`);
  }
  progress.end();
  await writeFileAtomic(options.output, lines.join("\n") + "\n");
  const result = {
    rows: dataset.rows,
    model: name,
    model_version: version,
    model_sha256: sha256Hex(bytes),
  };
  context.print(
    options.json
      ? JSON.stringify({ ...result, output: options.output })
      : `${result.rows} rows predicted by ${name} version ${version} → ${options.output}`,
  );
}

/** One column an output with one value a row; one a value otherwise: `probabilities_0`, … */
function header(outputs: readonly NamedTensor[], rows: number): string {
  return outputs.flatMap(({ name, data }) => {
    const width = data.length / rows;
    return width === 1
      ? [quote(name)]
      : Array.from({ length: width }, (_, i) => quote(`${name}_${i}`));
  }).join(",");
}

function appendRows(lines: string[], outputs: readonly NamedTensor[], rows: number): void {
  for (let row = 0; row < rows; row++) {
    const cells: string[] = [];
    for (const { data } of outputs) {
      const width = data.length / rows;
      for (let i = row * width; i < (row + 1) * width; i++) cells.push(quote(String(data[i])));
    }
    lines.push(cells.join(","));
  }
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
