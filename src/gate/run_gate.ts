import { SerinError, sha256Hex } from "../core/mod.ts";
import { type Dataset, datasetDigest } from "../dataset/mod.ts";
import type { Units } from "../statistics/mod.ts";
import { absoluteChecks, absoluteLimits } from "./absolute_check.ts";
import { type GateCheck, overallOutcome } from "./check.ts";
import { differenceParts, GATE_METRICS, type PairedRows } from "./gate_metric.ts";
import type { GateModel } from "./gate_model.ts";
import type { GateReport, ReportedModel } from "./gate_report.ts";
import { BINARY_METRICS, type GateSpec, REGRESSION_METRICS } from "./gate_spec.ts";
import { latencyChecks, measureLatency } from "./latency_check.ts";
import { overallRelation, relativeChecks, type Wanted } from "./relative_check.ts";
import { schemaCheck } from "./schema_check.ts";
import { type ScoredRows, scoreRows } from "./scored_rows.ts";
import { sizeChecks } from "./size_check.ts";
import { sizeFloor } from "./size_floor.ts";
import { sliceChecks, type SliceReport } from "./slice_check.ts";
import { type Slice, sliceData } from "./slices.ts";
import { readTruth, type Truth } from "./truth.ts";
import { type Dependence, findDependence, readUnits, withinClasses } from "./units.ts";
import { verdictOf } from "./verdict.ts";

/** What is judged, and by what. */
export interface GateRequest {
  readonly candidate: GateModel;
  /** Undefined for a first version: absolute limits alone. */
  readonly champion: GateModel | undefined;
  readonly data: Dataset;
  /** What the data are called in the report. */
  readonly source: string;
  readonly spec: GateSpec;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Why a person lets it through whatever comes out. */
  readonly forceReason?: string | undefined;
}

type Objective = "binary" | "regression";

/**
 * Judges a candidate: schema, limits, the paired comparison, slices, latency and size.
 *
 * @returns the report, whatever it says
 * @throws {SerinError} `configuration` for a gate.yaml that does not fit the data, `invalid_data` for
 *   data that cannot judge, `invalid_input` where candidate and champion are the same; what the
 *   models throw
 */
export async function runGate(request: GateRequest): Promise<GateReport> {
  const { candidate, champion, data, spec } = request;
  if (champion?.sha256 === candidate.sha256) throw sameModel(candidate, champion);
  const objective = (spec.objective ?? candidate.trained.objective ?? "binary") as Objective;
  const target = targetOf(request);
  const truth = readTruth(data, { objective, target, positive: spec.positive });
  refuseForeign(spec, objective, champion !== undefined);
  const slices = champion === undefined ? [] : sliceData(data, spec.slices);
  const units = readUnits(data, spec.test);
  const warnings = dataWarnings(request), checks: GateCheck[] = [];
  if (champion !== undefined) {
    const schema = schemaCheck(candidate, champion, spec.schema);
    checks.push(schema.check);
    warnings.push(...schema.warnings.map((text) => `schema: ${text}`));
  }
  const isRefused = overallOutcome(checks) === "refused";
  let sliced: SliceReport | undefined;
  try {
    const judged = await judgeAnswers(request, { objective, truth, slices, units });
    checks.push(...judged.checks);
    warnings.push(...judged.warnings);
    sliced = judged.sliced;
  } catch (thrown) {
    // What callers cannot use need not run on the data either.
    if (!isRefused || !(thrown instanceof SerinError)) throw thrown;
    warnings.push(`its answers were not judged: ${thrown.message}`);
  }
  checks.push(...sizeChecks(candidate.bytes, champion?.bytes, spec.size));
  const outcome = overallOutcome(checks);
  const { source, now, forceReason } = request;
  return {
    outcome,
    relation: overallRelation(checks),
    verdict: verdictOf({ outcome, checks, rows: data.rows, source }),
    forced: outcome === "passed" ? undefined : forceReason,
    time: now,
    candidate: reported(candidate),
    champion: champion === undefined ? undefined : reported(champion),
    data: { source, rows: data.rows, digest: datasetDigest(data), target, classes: count(truth) },
    specDigest: `sha256:${sha256Hex(JSON.stringify(spec))}`,
    alpha: spec.test.alpha,
    checks,
    slices: sliced === undefined ? undefined : { results: sliced.results, skipped: sliced.skipped },
    warnings,
  };
}

/** What the models answer to the data: limits, comparison, slices, and how long it takes. */
async function judgeAnswers(
  { candidate, champion, data, spec }: GateRequest,
  { objective, truth, slices, units: given }: {
    objective: Objective;
    truth: Truth;
    slices: readonly Slice[];
    units: Units | undefined;
  },
): Promise<{ checks: GateCheck[]; sliced: SliceReport | undefined; warnings: string[] }> {
  const isBinary = objective === "binary", { values } = truth, warnings: string[] = [];
  const rows = scoreRows("candidate", candidate, await candidate.predict(data), truth);
  const pair = champion === undefined ? undefined : {
    candidate: rows,
    champion: scoreRows("champion", champion, await champion.predict(data), truth),
    truth: values,
  };
  let units = given;
  if (units === undefined && spec.test.block_rows === "auto") {
    const found = dependenceOf(rows, pair, { values, isBinary });
    if (found !== undefined) warnings.push(dependenceText(found));
    units = found?.units;
  }
  const floor = sizeFloor(values, units, { isBinary, ...spec.test });
  const checks = absoluteChecks(rows, values, { spec, units, floor });
  let sliced: SliceReport | undefined;
  if (pair !== undefined) {
    const wanted = wantedMetrics(spec, objective);
    checks.push(...relativeChecks(pair, wanted, { test: spec.test, units, floor }));
    if (slices.length > 0) {
      const options = { spec, isBinary, units };
      sliced = sliceChecks(pair, slices, sliceMetrics(spec, wanted), options);
      checks.push(...sliced.checks);
    }
  }
  if (wantsLatency(spec, champion)) {
    const sample = await measureLatency(candidate, champion, data, spec.latency.rounds);
    checks.push(...latencyChecks(sample, spec.latency, spec.test.alpha));
  }
  return { checks, sliced, warnings };
}

function dependenceOf(
  candidate: ScoredRows,
  pair: PairedRows | undefined,
  { values, isBinary }: { values: Float64Array; isBinary: boolean },
): Dependence | undefined {
  const metric = isBinary ? "brier" : "mae";
  const own = GATE_METRICS[metric].parts(candidate, values);
  const series = pair === undefined ? [own] : [own, differenceParts(metric, pair)];
  return findDependence(series.map((parts) => isBinary ? withinClasses(parts, values) : parts));
}

function dependenceText({ designEffect, blockRows, units }: Dependence): string {
  return `rows that follow each other are alike: ${designEffect.toFixed(1)} of them tell as much ` +
    `as one; ${units.count} blocks of ${blockRows} rows are compared instead (test.block_rows)`;
}

function sameModel(candidate: GateModel, champion: GateModel): SerinError {
  return new SerinError(
    "invalid_input",
    `Candidate and champion are the same file: ${candidate.uri} and ${champion.uri}, ` +
      `sha256 ${candidate.sha256.slice(0, 12)}…`,
    { hint: "there is nothing to decide: check the two addresses" },
  );
}

function targetOf({ spec, candidate }: GateRequest): string {
  const target = spec.target ?? candidate.trained.target;
  if (target !== undefined) return target;
  throw new SerinError("configuration", 'gate.yaml: "target" is missing', {
    hint: "name the column with the truth: the candidate does not tell what it was trained for",
  });
}

const DEFAULT_METRICS = { binary: ["auc", "log_loss"], regression: ["rmse"] } as const;

function wantedMetrics(spec: GateSpec, objective: Objective): Wanted {
  if (spec.relative === undefined) {
    return DEFAULT_METRICS[objective].map((metric) => [metric, { require: "not_worse" }]);
  }
  return Object.entries(spec.relative).flatMap(([metric, requirement]) =>
    requirement === undefined ? [] : [[metric, requirement]]
  ) as unknown as Wanted;
}

function sliceMetrics({ slices }: GateSpec, wanted: Wanted): Wanted {
  if (slices.metrics === undefined) return wanted;
  return slices.metrics.map((metric) =>
    wanted.find(([name]) => name === metric) ?? [metric, { require: "not_worse" }]
  );
}

/** Metrics of the other objective, and a gate that would check nothing, are mistakes. */
function refuseForeign(spec: GateSpec, objective: Objective, hasChampion: boolean): void {
  const known: readonly string[] = objective === "binary"
    ? [...BINARY_METRICS, "ece", "calibration_slope"]
    : REGRESSION_METRICS;
  const absolute = absoluteLimits(spec.absolute).map(([name]) => name);
  const relative = Object.entries(spec.relative ?? {}).flatMap(([name, given]) =>
    given === undefined ? [] : [name]
  );
  const given: [string, readonly string[]][] = [
    ["absolute", absolute],
    ["relative", relative],
    ["slices.metrics", spec.slices.metrics ?? []],
  ];
  const foreign = given.flatMap(([where, names]) =>
    names.filter((name) => !known.includes(name)).map((name) => `${where}.${name}`)
  );
  if (foreign.length > 0) {
    throw new SerinError(
      "configuration",
      `gate.yaml: ${foreign.join(", ")} cannot be judged where the objective is ${objective}`,
      { hint: `there are ${known.join(", ")}; set "objective" where it is another` },
    );
  }
  const { size, latency } = spec;
  const checksNone = absolute.length === 0 && size.bytes_max === undefined &&
    latency.median_ms_max === undefined;
  if (hasChampion || !checksNone) return;
  throw new SerinError("configuration", "There is nothing to check without --champion", {
    hint: `give limits in gate.yaml, e.g. absolute: {${
      objective === "binary" ? `${Object.keys(GATE_METRICS)[0]}: {min: 0.8}` : "mae: {max: 10}"
    }}, or --champion`,
  });
}

function wantsLatency({ latency }: GateSpec, champion: GateModel | undefined): boolean {
  return latency.median_ms_max !== undefined ||
    (champion !== undefined && latency.ratio_max !== null);
}

/** Rows that a model has learned from flatter it. */
function dataWarnings({ candidate, champion, data }: GateRequest): string[] {
  const digest = datasetDigest(data);
  const models = [["candidate", candidate], ["champion", champion]] as const;
  return models.flatMap(([role, model]) =>
    model?.trained.dataset === digest
      ? [`the ${role} was trained from these very rows: its numbers are too good to judge by`]
      : []
  );
}

function count({ values, classes }: Truth): GateReport["data"]["classes"] {
  if (classes === undefined) return undefined;
  const positives = values.reduce((sum, y) => sum + y, 0);
  return [
    { name: String(classes[0]), rows: values.length - positives },
    { name: String(classes[1]), rows: positives },
  ];
}

function reported({ uri, version, sha256, bytes }: GateModel): ReportedModel {
  return { uri, version, sha256, bytes };
}
