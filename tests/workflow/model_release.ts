/**
 * A model repository's life, by its workflow alone: a first version, a second by canary, back to the first.
 * The same list runs against local processes (`tests/workflow_test.ts`) and against a cluster
 * (`tests/cluster/workflow_steps.ts`).
 */
import { formatYaml } from "../../src/config/mod.ts";
import { assertEquals, assertIncludes, assertTrue, until } from "../../src/testing/mod.ts";
import { LocalRunner, type RanStep, type WorkflowRun } from "./local_runner.ts";
import { ParcelTraffic } from "./parcel_traffic.ts";

/** The registered model of the test. */
export const MODEL = "parcels";

/** As in life, only faster, and with wide margins for latency on a machine that does much at once. */
const QUICK_PLAN = {
  steps: [{ share: 0.2, seconds: 2 }, { share: 0.5, seconds: 2 }],
  warmupSeconds: 1,
  canaryRequestsMin: 20,
  margins: { latencyRatio: 5, latencyDifference: 0.2 },
  latencyTolerance: { relative: 2, absoluteMs: 200 },
  holdSeconds: 60,
};

/** Where the workflow works. */
export interface ReleasePlace {
  /** A folder of its own. */
  readonly folder: string;
  /** A folder with `serin` in it. */
  readonly bin: string;
  readonly registryUrl: string;
  readonly servingUrl: string;
  /** The registry's admin token, if it wants one. */
  readonly token?: string;
}

/** One thing that happened, and what was seen. */
export interface ReleaseStep {
  readonly name: string;
  run(): Promise<string>;
}

const RELEASE = ["data-check", "train", "gate", "register", "deploy", "smoke", "rollout"];

/** @returns the steps, to be run in order; each throws where something is not as it must be */
export function modelRelease(place: ReleasePlace): ReleaseStep[] {
  const { folder, bin, registryUrl, servingUrl, token } = place;
  const repository = `${folder}/${MODEL}`;
  const runner = new LocalRunner({
    repository,
    work: `${folder}/work`,
    bin,
    vars: { SERIN_REGISTRY: registryUrl, SERIN_SERVING_URL: servingUrl },
    secrets: token === undefined ? {} : { SERIN_REGISTRY_TOKEN: token },
  });
  const push = () => runner.run({ name: "push" });
  return [
    {
      name: "serin init",
      run: async () => {
        const { code, stderr } = await new Deno.Command(`${bin}/serin`, {
          args: ["init", repository],
        }).output();
        assertEquals(code, 0, new TextDecoder().decode(stderr));
        // What a user would edit, too.
        await Deno.writeTextFile(`${repository}/rollout.yaml`, formatYaml([QUICK_PLAN]));
        return `${[...Deno.readDirSync(repository)].length} files and folders`;
      },
    },
    { name: "push: the first version", run: async () => firstRelease(await push()) },
    {
      name: "push: a second version, by canary",
      run: async () => {
        await edit(`${repository}/train.yaml`, "leaves: 15", "leaves: 12");
        await using traffic = new ParcelTraffic(`${servingUrl}/v2/models/${MODEL}`);
        const seen = secondRelease(await push());
        assertEquals(traffic.failures.slice(0, 3), []);
        assertTrue(traffic.answered[1] > 0 && traffic.answered[2] > 0, "both versions answered");
        return seen;
      },
    },
    {
      name: "by hand: rollback",
      run: async () => {
        const run = await runner.run({
          name: "workflow_dispatch",
          inputs: { action: "rollback", version: "" },
        });
        assertEquals(run.jobs, jobsOf([], "rollback"), tell(run));
        const answered = await until("version 1 answers", () => answersOf(servingUrl, "1"));
        return `${lastLine(run.steps.at(-1)!)}; version ${answered} answers`;
      },
    },
    {
      name: "by hand: rollback to a version that is named",
      run: async () => {
        const run = await runner.run({
          name: "workflow_dispatch",
          inputs: { action: "rollback", version: "2" },
        });
        assertEquals(run.jobs, jobsOf([], "rollback"), tell(run));
        return lastLine(run.steps.at(-1)!);
      },
    },
  ];
}

function firstRelease(run: WorkflowRun): string {
  assertEquals(run.jobs, jobsOf(RELEASE), tell(run));
  assertEquals(run.outputs.register.model_uri, `models:/${MODEL}/1`);
  assertIncludes(textOf(run, "data-check"), `there is no models:/${MODEL}@champion yet`);
  assertIncludes(textOf(run, "rollout"), "is the champion: there is no rollout of it");
  return told(run);
}

function secondRelease(run: WorkflowRun): string {
  assertEquals(run.jobs, jobsOf(RELEASE), tell(run));
  assertEquals(run.outputs.register.model_uri, `models:/${MODEL}/2`);
  assertIncludes(textOf(run, "smoke"), `${MODEL} version 2 is served`);
  assertIncludes(textOf(run, "rollout"), "promoted after");
  return told(run);
}

/** @returns what each job came to where these went well and the others were not run */
export function jobsOf(well: readonly string[], ...more: readonly string[]) {
  const all = [...RELEASE, "rollback"];
  return Object.fromEntries(
    all.map((job) => [job, [...well, ...more].includes(job) ? "success" : "skipped"]),
  );
}

async function answersOf(servingUrl: string, version: string): Promise<string | undefined> {
  const answer = await fetch(`${servingUrl}/v2/models/${MODEL}/versions/${version}`);
  await answer.body?.cancel();
  return answer.ok ? version : undefined;
}

/** Changes one thing in a file, as a person would. */
export async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  assertIncludes(text, from);
  await Deno.writeTextFile(path, text.replace(from, to));
}

/** @returns what a job's commands printed */
export function textOf(run: WorkflowRun, job: string): string {
  return run.steps.filter((step) => step.job === job).map(({ stdout }) => stdout).join("\n");
}

/** @returns everything that was run, for whoever has to find out why it did not go well */
export function tell({ steps }: WorkflowRun): string {
  return steps.map(({ job, run, code, stdout, stderr }) =>
    `── ${job}: ${run}\n${stdout}${stderr}→ ${code}`
  ).join("\n");
}

function told({ steps }: WorkflowRun): string {
  const times = steps.map(({ job, seconds }) => `${job} ${seconds.toFixed(1)} s`);
  return `${times.join(", ")}\n${lastLine(steps.at(-1)!)}`;
}

function lastLine({ stdout }: RanStep): string {
  return stdout.trim().split("\n").at(-1)!;
}
