import { z } from "zod";
import { didYouMean, messageOf, SerinError } from "../../core/mod.ts";

/** The format that {@linkcode parseScenarios} reads. */
export const SCENARIO_FORMAT = "serin-canary-scenarios/1";

const TABLE_LENGTH = 1025;
const probability = z.number().min(0).max(1);
const share = z.number().gt(0).lt(1);
const seconds = z.int().min(0).max(1_000_000);

const shockSchema = z.strictObject({
  kind: z.enum(["shared", "replica"]),
  p_block: probability,
  p: probability,
});

const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(200),
  kind: z.string(),
  note: z.string().optional(),
  seed: z.int().min(0).max(0xffffffff),
  runs: z.int().min(1).optional(),
  rps: z.number().min(0).max(100_000),
  arrival: z.string().optional(),
  p_err_s: probability,
  p_err_c: probability,
  err_shared: probability.optional(),
  lat_s: z.string(),
  lat_c: z.string(),
  lat_shared: probability.optional(),
  onset_s: z.int().min(0).optional(),
  shock: shockSchema.nullish(),
  wrong_s: probability.nullish(),
  wrong_c: probability.nullish(),
  wrong_shared: probability.optional(),
  label_frac: probability.nullish(),
  label_delay_s: z.tuple([seconds, seconds]).nullish(),
}).superRefine((scenario, context) => {
  if (!scenario.wrong_s) return;
  for (const field of ["wrong_c", "label_frac", "label_delay_s"] as const) {
    if (scenario[field] != null) continue;
    context.addIssue({ code: "custom", path: [field], message: "is needed beside wrong_s" });
  }
});

/** The constants of the reference decider. */
const constantsSchema = z.strictObject({
  alpha: z.number().gt(0).lt(1),
  beta: z.number().gt(0).lt(1),
  lat_q: z.array(z.number().gt(0).lt(1)).min(1).max(16),
  weights: z.array(z.number().min(0).max(1)),
  start_weights: z.array(z.number().min(0).max(1)),
  ni_err_ratio: z.number().gt(1),
  ni_lat_ratio: z.number().gt(1),
  ni_err_abs: z.number().gt(0).max(1),
  ni_label_ratio: z.number().gt(1),
});

const settingsShape = {
  warmup_s: seconds,
  block_s: z.int().min(1),
  schedule: z.array(z.tuple([share, z.int().min(1)])).min(1).max(64),
  hold_s: seconds,
  av: constantsSchema,
};

const fileSchema = z.strictObject({
  format: z.literal(SCENARIO_FORMAT),
  note: z.string().optional(),
  ...settingsShape,
  max_s: seconds,
  post_promote_s: seconds.optional(),
  shadow_frac: probability.optional(),
  calib_runs: z.int().min(0).optional(),
  slo: z.record(z.string(), z.number()).optional(),
  tables: z.record(z.string(), z.array(z.int().min(0)).length(TABLE_LENGTH)),
  scenarios: z.array(scenarioSchema).min(1).max(10_000),
}).superRefine((file, context) => {
  const { av, schedule, tables } = file;
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (av.weights.length !== av.lat_q.length + 1) {
    problem(["av", "weights"], "needs one for errors and one for each of lat_q");
  }
  if (av.start_weights.length !== schedule.length) {
    problem(["av", "start_weights"], "needs one for each step of schedule");
  }
  if (!av.lat_q.includes(0.95)) problem(["av", "lat_q"], "must hold 0.95, the level of promotion");
  file.scenarios.forEach((scenario, i) => {
    for (const field of ["lat_s", "lat_c"] as const) {
      if (Object.hasOwn(tables, scenario[field])) continue;
      const hint = didYouMean(scenario[field], Object.keys(tables));
      problem(["scenarios", i, field], `no table "${scenario[field]}"${hint ? `; ${hint}` : ""}`);
    }
  });
});

/** One scenario: how requests of both versions turn out. */
export type Scenario = z.infer<typeof scenarioSchema>;

/** A scenario file, checked. */
export type ScenarioFile = z.infer<typeof fileSchema>;

/** What the decider needs of a scenario file; a CSV stream runs with these alone. */
export type ReplaySettings = Pick<ScenarioFile, keyof typeof settingsShape>;

/** The settings of the published scenario files, for a CSV stream that comes without one. */
export const DEFAULT_REPLAY_SETTINGS: ReplaySettings = {
  warmup_s: 300,
  block_s: 10,
  schedule: [[0.05, 300], [0.1, 300], [0.25, 300], [0.5, 300]],
  hold_s: 1800,
  av: {
    alpha: 0.01,
    beta: 0.05,
    lat_q: [0.9, 0.95, 0.99],
    weights: [0.4, 0.2, 0.2, 0.2],
    start_weights: [0.55, 0.15, 0.15, 0.15],
    ni_err_ratio: 2,
    ni_lat_ratio: 1.5,
    ni_err_abs: 0.01,
    ni_label_ratio: 1.2,
  },
};

/** The 99th percentile of the published files' base table, microseconds. */
export const DEFAULT_P99_US = 166_415;

/**
 * @returns a latency table's 99th percentile, microseconds: the limit above which a request is bad
 */
export function tableP99(table: readonly number[]): number {
  return table[Math.trunc(0.99 * (TABLE_LENGTH - 1))];
}

/**
 * Reads a scenario file.
 *
 * @param text JSON of the format `serin-canary-scenarios/1`
 * @param source what to call it in errors
 * @throws {SerinError} invalid_input, with every problem in its message
 */
export function parseScenarios(text: string, source: string): ScenarioFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new SerinError("invalid_input", `${source} is not JSON: ${messageOf(thrown)}`);
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (format !== SCENARIO_FORMAT) {
    throw new SerinError(
      "invalid_input",
      `Cannot read ${source}: its format is ${JSON.stringify(format) ?? "not given"}`,
      { hint: `the field "format" must be "${SCENARIO_FORMAT}"` },
    );
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    `${path.map(String).join(".") || "the file"}: ${message}`
  );
  throw new SerinError(
    "invalid_input",
    `${source} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n  ` +
      problems.slice(0, 50).join("\n  "),
  );
}
