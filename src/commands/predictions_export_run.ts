import type { CommandContext } from "../cli/mod.ts";
import { SerinError, systemClock } from "../core/mod.ts";
import { exportPredictions, PredictionReader } from "../monitor/prediction_log/mod.ts";

/** The options of `serin predictions export`. */
export interface PredictionsExportOptions {
  readonly log: readonly string[];
  readonly output: string;
  readonly model?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly labelled: boolean;
  readonly target: string;
  readonly json: boolean;
}

/** Writes the file, prints what it holds. */
export async function run(
  options: PredictionsExportOptions,
  { print }: CommandContext,
): Promise<void> {
  const { labelled, target, output: path } = options;
  const sinceMs = readTime("--since", options.since), untilMs = readTime("--until", options.until);
  using reader = PredictionReader.open(options.log);
  const model = options.model ?? onlyModel(reader);
  const written = await exportPredictions(reader, {
    ...{ model, sinceMs, untilMs, labelled, target, path },
  });
  const iso = (ms: number | undefined) => ms === undefined ? null : new Date(ms).toISOString();
  const { rows, columns, firstMs, lastMs } = written;
  const [first, last] = [iso(firstMs), iso(lastMs)];
  if (options.json) {
    const facts = { model, output: path, rows, labelled: written.labelled, columns, first, last };
    return print(JSON.stringify({ ...facts, target }));
  }
  print(`${path}: ${rows} rows of ${model}, ${written.labelled} of them with a label`);
  if (first !== null) print(`answered from ${first} to ${last}`);
  print(`columns ${columns.join(", ")}; target ${target}`);
}

function onlyModel(reader: PredictionReader): string {
  const models = reader.models();
  if (models.length === 1) return models[0];
  throw new SerinError(
    models.length === 0 ? "not_found" : "usage",
    models.length === 0
      ? "The prediction log has no rows yet"
      : `The prediction log has rows of ${models.length} models: ${models.join(", ")}`,
    { hint: models.length === 0 ? "ask the served model something first" : "choose with --model" },
  );
}

const AGO: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns milliseconds since the epoch */
function readTime(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,6})([mhd])$/.exec(text);
  if (ago !== null) return systemClock.now() - Number(ago[1]) * AGO[ago[2]];
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (!Number.isNaN(time)) return time;
  throw new SerinError("usage", `${flag} ${text} is no time`, {
    hint: "give 2026-11-24, 2026-11-24T10:00:00Z, or how long ago: 30m, 6h, 7d",
  });
}
