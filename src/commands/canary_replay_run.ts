import type { CommandContext } from "../cli/mod.ts";
import { didYouMean, messageOf, SerinError } from "../core/mod.ts";
import {
  DEFAULT_P99_US,
  DEFAULT_REPLAY_SETTINGS,
  parseCsvStream,
  parseScenarios,
  replay,
  type ReplayOutcome,
  type Scenario,
  type ScenarioFile,
  ScenarioStream,
  tableP99,
} from "../rollout/replay/mod.ts";

const RUNS_MAX = 100_000;

interface ReplayOptions {
  scenarios?: string | undefined;
  scenario?: string | undefined;
  runs?: string | undefined;
  mode: "request" | "block";
  csv?: string | undefined;
}

/** Replays and prints one JSON line a run. */
export async function run(options: ReplayOptions, context: CommandContext): Promise<void> {
  const runs = checkOptions(options);
  const file = options.scenarios === undefined
    ? undefined
    : parseScenarios(await readText(options.scenarios, "--scenarios"), options.scenarios);
  const chosen = file === undefined ? [] : chooseScenarios(file, options.scenario);
  if (options.csv !== undefined) {
    const stream = parseCsvStream(await readText(options.csv, "--csv"), options.csv);
    const scenario = options.scenario === undefined ? undefined : chosen[0];
    const outcome = replay(file ?? DEFAULT_REPLAY_SETTINGS, stream, limitOf(file, scenario));
    context.print(lineOf(scenario?.name ?? options.csv, runs?.first ?? 0, outcome));
    return;
  }
  for (const scenario of chosen) {
    for (let run = runs!.first; run <= runs!.last; run++) {
      const stream = new ScenarioStream(file!, file!.tables, scenario, run);
      context.print(lineOf(scenario.name, run, replay(file!, stream, limitOf(file, scenario))));
    }
  }
}

/** @throws {SerinError} usage, with all that is wrong with the options together */
function checkOptions(options: ReplayOptions): { first: number; last: number } | undefined {
  if (options.mode === "block") {
    throw new SerinError("not_implemented", "Block mode is not built yet: it comes later", {
      hint: "use --mode request",
    });
  }
  const problems: string[] = [];
  if (options.scenarios === undefined && options.csv === undefined) {
    problems.push("--scenarios FILE or --csv FILE is needed");
  }
  if (options.scenario !== undefined && options.scenarios === undefined) {
    problems.push("--scenario needs --scenarios FILE");
  }
  if (options.runs === undefined && options.csv === undefined) {
    problems.push("--runs A-B is needed");
  }
  const runs = options.runs === undefined ? undefined : parseRuns(options.runs);
  if (typeof runs === "string") problems.push(runs);
  if (problems.length > 0) {
    throw new SerinError("usage", problems.join("\n"), {
      hint: "see `serin canary replay --help`",
    });
  }
  return runs as { first: number; last: number } | undefined;
}

/** @returns the runs, or what is wrong with them */
function parseRuns(text: string): { first: number; last: number } | string {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text);
  if (match === null) return `--runs must be A-B, two whole numbers such as 0-9: it is "${text}"`;
  const first = Number(match[1]), last = Number(match[2]);
  if (last < first) return `--runs must not go down: it is "${text}"`;
  if (last - first >= RUNS_MAX) return `--runs may name at most ${RUNS_MAX} runs: it is "${text}"`;
  return { first, last };
}

function chooseScenarios(file: ScenarioFile, name: string | undefined): Scenario[] {
  if (name === undefined) return file.scenarios;
  const names = file.scenarios.map((scenario) => scenario.name);
  const found = file.scenarios.filter((scenario) => scenario.name === name);
  if (found.length > 0) return found;
  throw new SerinError("usage", `There is no scenario "${name}" in the file`, {
    hint: didYouMean(name, names) ?? `it has ${names.slice(0, 40).join(", ")}`,
  });
}

/** Above this latency (the stable table's p99, microseconds) a request is bad. */
function limitOf(file: ScenarioFile | undefined, scenario: Scenario | undefined): number {
  const table = scenario?.lat_s ?? "base";
  return file !== undefined && Object.hasOwn(file.tables, table)
    ? tableP99(file.tables[table])
    : DEFAULT_P99_US;
}

function lineOf(scenario: string, run: number, outcome: ReplayOutcome): string {
  return JSON.stringify({
    scenario,
    run,
    decision: outcome.decision,
    t: outcome.t,
    canary_requests: outcome.canaryRequests,
    bad_total: outcome.badTotal,
    reason: outcome.reason,
    e: outcome.e,
  });
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new SerinError("usage", `Cannot read ${flag} ${path}: there is no such file`, {
        cause,
      });
    }
    throw new SerinError("invalid_input", `Cannot read ${flag} ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
