/**
 * Runs a workflow of GitHub Actions on this machine, as far as a model repository uses it: jobs in the
 * order of their needs, each in a fresh copy of the repository, commands by bash exactly as written,
 * artifacts and outputs handed on. Of actions it knows checkout, upload, download, and that serin is in PATH.
 */
import { z } from "zod";
import { parseYamlConfig } from "../../src/config/mod.ts";
import type { Step, Workflow } from "../../src/starter/mod.ts";
import { type Contexts, holds, interpolate } from "./expression.ts";

/** What the workflow is run with. */
export interface RunnerOptions {
  /** The repository's folder. */
  readonly repository: string;
  /** A folder for what the jobs leave behind. */
  readonly work: string;
  /** A folder with `serin` in it. */
  readonly bin: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Called after each command. */
  readonly onCommand?: (ran: RanStep) => void;
}

/** A command, and how it ended. */
export interface RanStep {
  readonly job: string;
  readonly run: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** What came of a run. */
export interface WorkflowRun {
  readonly jobs: Readonly<Record<string, "success" | "failure" | "skipped">>;
  readonly steps: readonly RanStep[];
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What starts a run. */
export interface WorkflowEvent {
  readonly name: "push" | "workflow_dispatch";
  readonly inputs?: Readonly<Record<string, string>>;
}

type Outputs = Record<string, Record<string, string>>;

/** @returns the workflow in a file, as it stands there */
export async function readWorkflow(path: string): Promise<Workflow> {
  const schema = z.looseObject({ jobs: z.record(z.string(), z.looseObject({})) });
  return parseYamlConfig(await Deno.readTextFile(path), schema, {
    source: path,
  }) as unknown as Workflow;
}

/** Runs a workflow from its event to its end. */
export class LocalRunner {
  readonly #options: RunnerOptions;
  #runs = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async run(event: WorkflowEvent): Promise<WorkflowRun> {
    const { repository, work } = this.#options;
    const workflow = await readWorkflow(`${repository}/.github/workflows/model.yml`);
    const folder = `${work}/run-${++this.#runs}`;
    await Deno.mkdir(`${folder}/artifacts`, { recursive: true });
    const jobs: Record<string, "success" | "failure" | "skipped"> = {};
    const steps: RanStep[] = [], outputs: Outputs = {};
    const once = { workflow, event, folder, jobs, steps, outputs };
    for (const name of inOrder(workflow)) jobs[name] = await this.#runJob(name, once);
    return { jobs, steps, outputs };
  }

  async #runJob(name: string, run: Once): Promise<"success" | "failure" | "skipped"> {
    const { workflow, folder, jobs, outputs } = run;
    const job = workflow.jobs[name], needs = job.needs ?? [];
    const needed = Object.fromEntries(
      needs.map((each) => [each, { result: jobs[each], outputs: outputs[each] ?? {} }]),
    );
    const contexts = {
      ...this.#contexts(run),
      needs: needed,
      "success()": needs.every((each) => jobs[each] === "success"),
    };
    if (!holds(job.if, contexts)) return "skipped";
    const place = `${folder}/${name}`;
    await copyFolder(this.#options.repository, place);
    await Deno.mkdir(`${folder}/${name}.temp`, { recursive: true });
    const own: Outputs = {};
    let failed = false;
    for (const [index, step] of job.steps.entries()) {
      const now: Contexts = {
        ...contexts,
        steps: Object.fromEntries(Object.entries(own).map(([id, outputs]) => [id, { outputs }])),
        "success()": !failed,
        "failure()": failed,
        "always()": true,
      };
      if (!holds(step.if, now)) continue;
      const env = evaluateAll({ ...workflow.env, ...job.env, ...step.env }, now);
      const at = { job: name, index, place, env };
      if (!await this.#runStep(step, now, at, run, own)) failed = true;
    }
    const stepsNow = Object.fromEntries(Object.entries(own).map(([id, o]) => [id, { outputs: o }]));
    outputs[name] = evaluateAll(job.outputs ?? {}, { ...contexts, steps: stepsNow });
    return failed ? "failure" : "success";
  }

  #contexts({ event }: Once): Contexts {
    const { vars, secrets } = this.#options;
    const github = { event_name: event.name };
    return { vars, secrets, inputs: event.inputs ?? {}, github };
  }

  /** @returns whether it went well */
  async #runStep(
    step: Step,
    contexts: Contexts,
    at: Place,
    run: Once,
    outputs: Outputs,
  ): Promise<boolean> {
    if (step.uses !== undefined) {
      const given = Object.entries(step.with ?? {}).map(([key, value]) => [key, String(value)]);
      await runAction(step.uses, evaluateAll(Object.fromEntries(given), contexts), at, run);
      return true;
    }
    const file = `${run.folder}/${at.job}.${at.index}`;
    for (const kind of ["outputs", "summary"]) await Deno.writeTextFile(`${file}.${kind}`, "");
    const { bin } = this.#options;
    const started = performance.now();
    const child = new Deno.Command("bash", {
      args: ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run!],
      cwd: at.place,
      stdin: "null",
      clearEnv: true,
      env: {
        PATH: `${bin}:/usr/bin:/bin`,
        HOME: run.folder,
        RUNNER_TEMP: `${run.folder}/${at.job}.temp`,
        GITHUB_OUTPUT: `${file}.outputs`,
        GITHUB_STEP_SUMMARY: `${file}.summary`,
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
        GITHUB_ACTIONS: "true",
        CI: "true",
        ...at.env,
      },
    });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder(), seconds = (performance.now() - started) / 1000;
    const ran: RanStep = {
      ...{ job: at.job, run: step.run!, code, seconds },
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
    run.steps.push(ran);
    this.#options.onCommand?.(ran);
    if (step.id !== undefined) {
      outputs[step.id] = readOutputs(await Deno.readTextFile(`${file}.outputs`));
    }
    return code === 0;
  }
}

interface Once {
  readonly workflow: Workflow;
  readonly event: WorkflowEvent;
  readonly folder: string;
  readonly jobs: Record<string, "success" | "failure" | "skipped">;
  readonly steps: RanStep[];
  readonly outputs: Outputs;
}

interface Place {
  readonly job: string;
  readonly index: number;
  readonly place: string;
  readonly env: Readonly<Record<string, string>>;
}

async function runAction(
  uses: string,
  given: Readonly<Record<string, string>>,
  { place }: Place,
  { folder }: Once,
): Promise<void> {
  const action = uses.split("@")[0];
  const artifact = `${folder}/artifacts/${given.name}`;
  if (action === "actions/upload-artifact") {
    const path = `${place}/${given.path}`;
    const info = await Deno.stat(path).catch(() => undefined);
    // A file that a failed step did not write is a warning there, no error.
    if (info === undefined) return;
    await Deno.remove(artifact, { recursive: true }).catch(() => {});
    if (info.isDirectory) return await copyFolder(path, artifact);
    await Deno.mkdir(artifact, { recursive: true });
    await Deno.copyFile(path, `${artifact}/${given.path.split("/").at(-1)}`);
  } else if (action === "actions/download-artifact") {
    await copyFolder(artifact, `${place}/${given.path}`);
  } else if (action !== "actions/checkout" && action !== "./.github/actions/setup-serin") {
    throw new Error(`the action ${uses} is not known here`);
  }
}

/** Jobs after those that they need. */
function inOrder({ jobs }: Workflow): string[] {
  const done: string[] = [];
  const visit = (name: string, above: readonly string[]) => {
    if (done.includes(name)) return;
    if (above.includes(name)) throw new Error(`jobs need each other: ${[...above, name]}`);
    for (const need of jobs[name].needs ?? []) visit(need, [...above, name]);
    done.push(name);
  };
  for (const name of Object.keys(jobs)) visit(name, []);
  return done;
}

function evaluateAll(
  values: Readonly<Record<string, string>>,
  contexts: Contexts,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, interpolate(value, contexts)]),
  );
}

/** Lines `NAME=VALUE` of $GITHUB_OUTPUT. */
function readOutputs(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`no output of a step: ${line}`);
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
