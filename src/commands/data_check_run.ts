import { type CommandContext, formatTable } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { SerinError, systemClock, writeFileAtomic } from "../core/mod.ts";
import {
  checkData,
  countOutcomes,
  dataJunit,
  type DataLimits,
  type DataReport,
  dataReportJson,
  exitCodeOfData,
  type ReferenceData,
} from "../datacheck/mod.ts";
import { parseModelProfile } from "../monitor/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { SPEC_SYNONYMS, type TrainSpec, trainSpecSchema } from "../train/mod.ts";
import { readConfigFile } from "./config_file.ts";
import { type DataAccess, nameData, readData } from "./data_source.ts";
import { fetchProfile } from "./offline_model.ts";

/** The options of `serin data check`. */
export interface DataCheckOptions extends DataLimits, DataAccess {
  readonly data: string;
  readonly spec?: string | undefined;
  readonly target?: string | undefined;
  readonly reference?: string | undefined;
  readonly allowFirst: boolean;
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly json: boolean;
  readonly junit?: string | undefined;
}

/** Checks, writes the report, prints it. @returns 0 or 3 */
export async function run(options: DataCheckOptions, context: CommandContext): Promise<number> {
  const spec = await readSpec(options.spec);
  const target = options.target ?? spec.target;
  if (target === undefined) {
    throw new SerinError("usage", "serin data check: which column is the target?", {
      hint: "name it with --target, or as target: in the train.yaml of --spec",
    });
  }
  const reference = await readReference(options);
  const report = checkData({
    dataset: await readData(options.data, options, context.log),
    source: nameData(options.data),
    target,
    objective: spec.objective,
    ignored: spec.features.ignore,
    reference,
    limits: options,
    now: systemClock.now(),
  });
  if (options.junit !== undefined) await writeFileAtomic(options.junit, dataJunit(report));
  if (options.json) context.print(JSON.stringify(dataReportJson(report)));
  else printReport(report, options, context);
  return exitCodeOfData(report);
}

async function readSpec(path: string | undefined): Promise<TrainSpec> {
  const text = path === undefined ? "" : await readConfigFile("--spec", path);
  return parseYamlConfig(text, trainSpecSchema, {
    source: path ?? "train.yaml",
    synonyms: SPEC_SYNONYMS,
  });
}

async function readReference(options: DataCheckOptions): Promise<ReferenceData | undefined> {
  const { reference: uri, allowFirst } = options;
  if (uri === undefined) return undefined;
  const address = parseModelUri(uri);
  const bytes = await fetchProfile(address, { ...options, uri, allowFirst });
  if (bytes === undefined) return undefined;
  const { columns } = parseModelProfile(bytes);
  return {
    source: uri,
    rows: Math.max(0, ...columns.map(({ rows }) => rows)),
    columns: columns.map(({ name, nullRatio, edges }) => ({
      name,
      missingRate: nullRatio,
      min: edges[0],
      max: edges.at(-1),
    })),
  };
}

function printReport(
  report: DataReport,
  { reference }: DataCheckOptions,
  { print }: CommandContext,
): void {
  const { source, rows, target, checks, outcome } = report;
  print(`data       ${source}, ${rows} rows, target ${target}`);
  const first = reference === undefined ? "none" : `none: there is no ${reference} yet`;
  print(`reference  ${report.reference ?? first}`);
  const found = checks.filter((check) => check.outcome !== "passed");
  if (found.length > 0) {
    print("");
    const cells = found.map(({ id, outcome, sentence }) => [id, outcome, sentence]);
    print(formatTable(["check", "outcome", "what was seen"], cells));
  }
  print("");
  const { passed, warned, refused } = countOutcomes(report);
  const counts = `${passed} checks passed, ${warned} warned, ${refused} refused`;
  print(outcome === "passed" ? `fit to train on: ${counts}` : `not fit to train on: ${counts}`);
}
