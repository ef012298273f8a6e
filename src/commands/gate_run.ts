import { type CommandContext, formatTable, openProgress } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { messageOf, SerinError, systemClock, writeFileAtomic } from "../core/mod.ts";
import { type Dataset, sliceRows } from "../dataset/mod.ts";
import {
  checkHeader,
  checkRows,
  exitCodeOf,
  GATE_SYNONYMS,
  type GateReport,
  type GateSpec,
  gateSpecSchema,
  gateTags,
  headRows,
  junitReport,
  markdownReport,
  reasonRows,
  reportJson,
  runGate,
  SLICE_HEADER,
  sliceRows as sliceCells,
} from "../gate/mod.ts";
import { configureOrt, readOrtWasm } from "../inference/mod.ts";
import { type ModelUri, parseModelUri } from "../serving/mod.ts";
import { OnnxGateModel } from "./gate_onnx_model.ts";
import { type DataAccess, nameData, readData } from "./data_source.ts";
import { formatVerdict } from "./gate_verdict.ts";
import { type FetchedModel, fetchModel, isFirst } from "./offline_model.ts";
import { openRegistryClient } from "./registry_client.ts";

/** Slices that the table shows; all are in the JSON. */
const SLICES_SHOWN = 8;

/** The options of `serin gate`. */
export interface GateOptions extends DataAccess {
  readonly candidate: string;
  readonly champion?: string | undefined;
  readonly allowFirst?: boolean;
  readonly data: string;
  readonly rows?: string | undefined;
  readonly spec?: string | undefined;
  readonly target?: string | undefined;
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly json: boolean;
  readonly junit?: string | undefined;
  readonly markdown?: string | undefined;
  readonly verdict?: string | undefined;
  readonly forceReason?: string | undefined;
}

/** Judges, writes the reports, tags the version, prints; in that order. */
export async function run(options: GateOptions, context: CommandContext): Promise<number> {
  const given = checkOptions(options);
  const spec = await readSpec(options);
  const data = cutRows(await readData(options.data, options, context.log), options);
  const addresses = await withoutMissingChampion(given, options);
  const candidate = await fetchModel(addresses.candidate, { ...options, uri: options.candidate });
  const champion = addresses.champion === undefined
    ? undefined
    : await fetchModel(addresses.champion, { ...options, uri: options.champion! });
  const progress = openProgress({ interactive: context.interactive });
  progress.update("both models answer the rows");
  let report: GateReport;
  try {
    report = await judge(options, { addresses, candidate, champion, data, spec });
    if (addresses.champion !== given.champion) report = withFirstWarning(report, options);
  } finally {
    progress.end();
  }
  if (options.junit !== undefined) await writeFileAtomic(options.junit, junitReport(report));
  if (options.markdown !== undefined) {
    await writeFileAtomic(options.markdown, markdownReport(report));
  }
  if (options.verdict !== undefined) {
    await writeFileAtomic(options.verdict, formatVerdict(gateTags(report)));
  }
  const tagged = await tagVersion(report, addresses.candidate, candidate, options);
  if (options.json) {
    context.print(JSON.stringify({ ...reportJson(report), tagged: tagged ?? null }));
  } else printReport(report, tagged, context);
  return exitCodeOf(report);
}

/** A first version has no champion to be held against: `--allow-first` says that this is fine. */
async function withoutMissingChampion(
  addresses: Addresses,
  options: GateOptions,
): Promise<Addresses> {
  const { champion } = addresses;
  if (champion === undefined || options.allowFirst !== true) return addresses;
  const isMissing = await isFirst(champion, { ...options, uri: options.champion! });
  return isMissing ? { ...addresses, champion: undefined } : addresses;
}

function withFirstWarning(report: GateReport, { champion }: GateOptions): GateReport {
  const warning = `there is no ${champion} yet: the limits alone count`;
  return { ...report, warnings: [...report.warnings, warning] };
}

interface Addresses {
  readonly candidate: ModelUri;
  readonly champion: ModelUri | undefined;
}

function checkOptions(options: GateOptions): Addresses {
  const { rows, champion } = options;
  const problems: string[] = [];
  const [start, end] = (rows ?? "0-1").split("-").map(Number);
  if (!(start < end)) problems.push(`--rows ${rows} is empty: A must be below B`);
  const files = [options.junit, options.markdown, options.verdict];
  const twice = files.find((file, i) => file !== undefined && files.indexOf(file) < i);
  if (twice !== undefined) {
    problems.push(`two of --junit, --markdown and --verdict name the same file: ${twice}`);
  }
  if (problems.length > 0) throw new SerinError("usage", problems.join("; "));
  return {
    candidate: parseModelUri(options.candidate),
    champion: champion === undefined ? undefined : parseModelUri(champion),
  };
}

async function readSpec({ spec: path, target }: GateOptions): Promise<GateSpec> {
  const source = path ?? "gate.yaml";
  let text = "";
  try {
    if (path !== undefined) text = await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new SerinError(
      missing ? "not_found" : "storage",
      `Cannot read --spec ${path}: ${missing ? "there is no such file" : messageOf(cause)}`,
      { cause },
    );
  }
  const spec = parseYamlConfig(text, gateSpecSchema, { source, synonyms: GATE_SYNONYMS });
  return { ...spec, target: target ?? spec.target };
}

function cutRows(data: Dataset, { rows, data: path }: GateOptions): Dataset {
  if (rows === undefined) return data;
  const [start, end] = rows.split("-").map(Number);
  if (end <= data.rows) return sliceRows(data, start, end);
  throw new SerinError(
    "invalid_input",
    `--rows ${rows} goes past the end: ${nameData(path)} has ${data.rows} data rows`,
  );
}

async function judge(
  options: GateOptions,
  { addresses, candidate, champion, data, spec }: {
    addresses: Addresses;
    candidate: FetchedModel;
    champion: FetchedModel | undefined;
    data: Dataset;
    spec: GateSpec;
  },
): Promise<GateReport> {
  configureOrt(readOrtWasm());
  const rows = options.rows === undefined ? "" : `, rows ${options.rows}`;
  const source = `${nameData(options.data)}${rows}`;
  const open = (uri: string, address: ModelUri, fetched: FetchedModel) =>
    OnnxGateModel.open({ uri, address, fetched, source });
  await using models = new AsyncDisposableStack();
  const first = models.use(await open(options.candidate, addresses.candidate, candidate));
  const second = champion === undefined
    ? undefined
    : models.use(await open(options.champion!, addresses.champion!, champion));
  return await runGate({
    candidate: first,
    champion: second,
    data,
    source,
    spec,
    now: systemClock.now(),
    forceReason: options.forceReason,
  });
}

/** @returns what was tagged; undefined where the candidate is no version of a registry */
async function tagVersion(
  report: GateReport,
  address: ModelUri,
  { version }: FetchedModel,
  options: GateOptions,
): Promise<{ name: string; version: string } | undefined> {
  if (address.kind !== "version" && address.kind !== "alias") return undefined;
  const { client } = await openRegistryClient(options.registry!, options);
  for (const { key, value } of gateTags(report)) {
    await client.versions.setTag(address.model, version, key, value);
  }
  return { name: address.model, version };
}

function printReport(
  report: GateReport,
  tagged: { name: string; version: string } | undefined,
  { print }: CommandContext,
): void {
  const head = headRows(report), width = Math.max(...head.map(([name]) => name.length));
  for (const [name, text] of head) print(`${name.padEnd(width)}  ${text}`);
  print("");
  print(formatTable(checkHeader(report.alpha), checkRows(report.checks)));
  if (report.slices !== undefined && report.slices.results.length > 0) {
    const { results, skipped } = report.slices;
    print("");
    print(formatTable(SLICE_HEADER, sliceCells(results.slice(0, SLICES_SHOWN))));
    const more = results.length - SLICES_SHOWN;
    if (more > 0) print(`${more} more with less evidence of harm (--json has all)`);
    if (skipped.length > 0) print(`${skipped.length} slices have too few rows to judge`);
  }
  print("");
  for (const reason of reasonRows(report)) print(reason);
  for (const warning of report.warnings) print(`! ${warning}`);
  print(report.verdict);
  if (report.forced !== undefined) print(`let through by a person: ${report.forced}`);
  if (tagged !== undefined) {
    print(`recorded on version ${tagged.version} of ${tagged.name} (serin.gate)`);
  }
}
