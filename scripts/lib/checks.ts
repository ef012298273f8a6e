/**
 * Runs serin's checks and tests and counts them from their real reports:
 *
 *     scripts/deno task ok                 everything that needs no root and no cluster
 *     scripts/deno task ok unit lint       these steps only
 *     scripts/deno task ok all cluster     everything, and the deployment on a real Kubernetes
 *
 * A step without a report of its own (format, lint, types, build) counts as one test of its name. Tests
 * that cannot run here are ignored and have `(skipped: REASON)` in their names. The last line is
 * `N passed, N failed` (and `, N skipped`); the merged report is `.test/junit.xml`.
 */
import { countsLine, parseJunit, type TestCase, toJunit } from "./junit.ts";
import { privateEnvironment } from "./environment.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const binary = `${root}serin`;
const report = `${root}.test/step.xml`;

interface Step {
  readonly name: string;
  /** Arguments of `deno`, of `deno test` where it runs tests. */
  readonly args: readonly string[];
  /** Files and folders; those that are not there are left out. */
  readonly paths?: readonly string[];
  readonly minutesMax: number;
  /** Steps that must have passed. */
  readonly needs?: readonly string[];
  /** Runs tests: its report is counted. "itself": a program that takes `--report FILE`. */
  readonly tests?: true | "itself";
  /** Runs when it is named, not by default. */
  readonly named?: true;
}

const TESTS_IGNORED = "--ignore=**/*_test.ts,tests/data";
const STEPS: readonly Step[] = [
  {
    name: "vendor",
    args: ["run", "--no-config", "--lock=scripts/vendor.lock", "-A", "scripts/vendor.ts"],
    minutesMax: 10,
  },
  { name: "format", args: ["fmt", "--check", "--quiet"], minutesMax: 2 },
  { name: "lint", args: ["lint", "--quiet"], minutesMax: 2 },
  {
    name: "types",
    args: ["check", "--frozen", "--quiet"],
    // Not scripts/vendor.ts: its package must not get into deno.lock.
    paths: [
      ...["main.ts", "src", "tests", "scripts/lib"],
      ...["scripts/build.ts", "scripts/lint_plugin.ts", "scripts/soak.ts"],
    ],
    minutesMax: 10,
  },
  { name: "build", args: ["run", "-A", "scripts/build.ts"], minutesMax: 10, needs: ["vendor"] },
  {
    name: "docs",
    args: ["--doc", TESTS_IGNORED],
    paths: ["src", "scripts", "docs", "README.md", "CONTRIBUTING.md"],
    minutesMax: 10,
    tests: true,
  },
  { name: "unit", args: [], paths: ["src", "scripts"], minutesMax: 20, tests: true },
  { name: "program", args: [], paths: ["tests"], minutesMax: 40, needs: ["build"], tests: true },
  {
    name: "loop",
    args: ["run", "-A", "--frozen", "--quiet", "tests/loop/run.ts", "--report", report],
    minutesMax: 10,
    needs: ["build"],
    tests: "itself",
  },
  {
    name: "cluster",
    args: ["run", "-A", "--frozen", "--quiet", "tests/cluster/run.ts", "--report", report],
    minutesMax: 35,
    needs: ["build"],
    tests: "itself",
    named: true,
  },
];
/** Stands for every step that needs no naming. */
const ALL = "all";

if (import.meta.main) {
  const unknown = Deno.args.filter((name) =>
    name !== ALL && !STEPS.some((step) => step.name === name)
  );
  if (unknown.length > 0) {
    console.error(`error: no such step: ${unknown.join(", ")}`);
    console.error(`hint: there are ${STEPS.map(({ name }) => name).join(", ")}`);
    Deno.exit(2);
  }
  const all = Deno.args.length === 0 || Deno.args.includes(ALL);
  const wanted = STEPS.filter(({ name, named }) => Deno.args.includes(name) || (all && !named));
  Deno.exit(await runSteps(wanted));
}

async function runSteps(steps: readonly Step[]): Promise<number> {
  await Deno.mkdir(`${root}.test`, { recursive: true });
  const environment = await privateEnvironment(root, { SERIN_BIN: binary });
  const cases: TestCase[] = [];
  try {
    for (const step of steps) {
      const failed = step.needs?.find((name) => hasFailed(cases, name));
      const results = failed === undefined
        ? await runStep(step, environment.variables)
        : [outcomeOf(step, 0, `not run: ${failed} failed`)];
      cases.push(...results);
    }
  } finally {
    await environment.remove();
    await Deno.remove(report).catch(() => {});
  }
  await Deno.writeTextFile(`${root}.test/junit.xml`, toJunit(cases));
  summarize(cases);
  return cases.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}

function hasFailed(cases: readonly TestCase[], step: string): boolean {
  return cases.some(({ suite, name, outcome }) =>
    suite === "checks" && name === step && outcome === "failed"
  );
}

async function runStep(step: Step, env: Record<string, string>): Promise<TestCase[]> {
  console.log(`\n── ${step.name}`);
  await Deno.remove(report).catch(() => {});
  const before = step.tests === true
    ? ["test", "-A", "--frozen", "--quiet", `--junit-path=${report}`]
    : [];
  const args = [...before, ...step.args, ...await existing(step.paths ?? [])];
  const start = performance.now();
  const problem = await runDeno(args, env, step.minutesMax);
  const seconds = (performance.now() - start) / 1000;
  if (!step.tests) return [outcomeOf(step, seconds, problem)];
  const cases = parseJunit(await Deno.readTextFile(report).catch(() => ""));
  if (cases.length === 0 && problem === undefined) {
    return [outcomeOf(step, seconds, "it ran no test")];
  }
  // It did not end well and no test says why: a type error, a crash, the time limit.
  const told = cases.some(({ outcome }) => outcome === "failed");
  return problem !== undefined && !told ? [...cases, outcomeOf(step, seconds, problem)] : cases;
}

/** A step as one test. */
function outcomeOf(step: Step, seconds: number, problem: string | undefined): TestCase {
  const outcome = problem === undefined ? "passed" : "failed";
  return { suite: "checks", name: step.name, seconds, outcome, message: problem };
}

/** @returns why it did not end well */
async function runDeno(
  args: readonly string[],
  env: Record<string, string>,
  minutesMax: number,
): Promise<string | undefined> {
  // `timeout` gives the step a process group of its own and ends all of it, servers of tests included.
  const limit = ["--kill-after=15", `${minutesMax * 60}`, Deno.execPath()];
  const command = new Deno.Command("timeout", {
    args: [...limit, ...args],
    cwd: root,
    env,
    clearEnv: true,
    stdin: "null",
  });
  const child = command.spawn();
  const stop = () => child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  const { success, code } = await child.status;
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, stop);
  if (success) return undefined;
  return code === 124 ? `it took more than ${minutesMax} minutes` : `it ended with ${code}`;
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const kept: string[] = [];
  for (const path of paths) {
    if (await Deno.stat(root + path).then(() => true, () => false)) kept.push(path);
  }
  return kept;
}

function summarize(cases: readonly TestCase[]): void {
  console.log("");
  for (const { suite, name, outcome, message } of cases) {
    if (outcome === "skipped") console.log(`skipped: ${name} [${suite}]`);
    if (outcome === "failed") console.log(`failed: ${name} [${suite}]: ${firstLine(message)}`);
  }
  console.log(`report: .test/junit.xml`);
  console.log(countsLine(cases));
}

function firstLine(text = ""): string {
  return text.split("\n")[0];
}
