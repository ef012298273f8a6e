import { assert, type Clock, SerinError, storageError } from "../core/mod.ts";
import { digestRows, rowsPath } from "./collected_rows.ts";
import type {
  CollectedData,
  DataCollector,
  RetrainGate,
  RetrainRegistry,
  RetrainTrainer,
  RowRange,
  TrainedVersion,
} from "./ports.ts";
import type { ModelRetraining } from "./retrain_spec.ts";
import type { RetrainStore } from "./retrain_store.ts";
import type { RunEnd, RunRecord, StepName } from "./retraining.ts";

/** How a retraining ended, and why. */
export interface RunOutcome {
  readonly end: RunEnd;
  readonly reason: string;
}

/** What a step came to; no outcome: the next one follows. */
export interface StepResult {
  readonly facts: Record<string, unknown>;
  readonly outcome?: RunOutcome;
}

/** What a step works with. */
export interface StepContext {
  readonly run: RunRecord;
  readonly spec: ModelRetraining;
  readonly store: RetrainStore;
  readonly registry: RetrainRegistry;
  readonly data: DataCollector;
  readonly trainer: RetrainTrainer;
  readonly gate: RetrainGate;
  readonly folder: string;
  readonly clock: Clock;
}

/** Takes a step. Each may be taken again after a crash, and comes to the same end. */
export function takeStep(step: StepName, context: StepContext): Promise<StepResult> {
  return TAKE[step](context);
}

/** The data of a retraining, cut for training and gate. */
type CutData = CollectedData & {
  readonly bytes: number;
  readonly sha256: string;
  readonly train: RowRange;
  readonly held: RowRange;
};

/** The rows, in the run's own folder: what it trains on and is judged by does not change any more. */
async function collect(
  { run, spec, store, data, folder, clock }: StepContext,
): Promise<StepResult> {
  store.beginStep(run.id, "collect", clock.now(), {});
  const own = `${folder}/runs/${run.id}`;
  try {
    await Deno.mkdir(own, { recursive: true });
  } catch (cause) {
    throw storageError(`Cannot make ${own}`, cause);
  }
  const collected = await data.collect(spec, rowsPath(folder, run.id));
  const { rows } = collected, { rows_min, rows_max, holdout } = spec.data;
  if (rows < rows_min) {
    throw new SerinError(
      "invalid_data",
      `There are ${rows} labelled rows (${collected.source}), at least ${rows_min} are wanted`,
      { hint: "wait for labels, widen since_days, or lower data.rows_min" },
    );
  }
  const start = Math.max(0, rows - rows_max);
  const cut = rows - Math.max(1, Math.floor((rows - start) * holdout));
  const facts: CutData = {
    ...collected,
    ...await digestRows(collected.path),
    train: { start, end: cut },
    held: { start: cut, end: rows },
  };
  return { facts: { ...facts } };
}

/** A training that was cut off may have registered its version: then that is the one. */
async function train(context: StepContext): Promise<StepResult> {
  const { run, spec, store, registry, trainer, folder, clock } = context;
  const out = `${folder}/runs/${run.id}/model`;
  const begun = factsOf<{ versionBefore?: number }>(run, "train");
  const versionBefore = begun?.versionBefore ?? await registry.newestVersion(spec.model);
  store.beginStep(run.id, "train", clock.now(), { versionBefore });
  if (begun !== undefined) {
    const runId = await trainer.runOf(out);
    const version = runId && await registry.findVersionOf(spec.model, runId, versionBefore);
    if (version) return { facts: { versionBefore, version, runId, metrics: {} } };
  }
  const data = dataOf(run);
  const trained = await trainer.train(spec, data, {
    rows: data.train,
    id: run.id,
    versionBefore,
    out,
  });
  return { facts: { versionBefore, ...trained } };
}

async function judge({ run, spec, store, gate, clock }: StepContext): Promise<StepResult> {
  store.beginStep(run.id, "gate", clock.now(), {});
  const data = dataOf(run), { version } = trainedOf(run);
  const { outcome, verdict } = await gate.judge(spec, data, { version, rows: data.held });
  const facts = { outcome, verdict };
  if (outcome === "passed") return { facts };
  return { facts, outcome: { end: outcome, reason: `version ${version}: ${verdict}` } };
}

async function promote({ run, spec, store, registry, clock }: StepContext): Promise<StepResult> {
  store.beginStep(run.id, "promote", clock.now(), {});
  const { version } = trainedOf(run), { model, challenger: alias } = spec;
  const { challenger, champion } = await registry.look(spec);
  const facts = { alias, version };
  const done = { end: "succeeded", reason: `version ${version} passed and is ${alias}` } as const;
  // After a crash: it may be challenger already, or even have won its rollout.
  if (challenger === version || champion === version) return { facts, outcome: done };
  if (challenger !== undefined) {
    throw new SerinError(
      "conflict",
      `Version ${version} passed, but meanwhile version ${challenger} is ${alias} of ${model}`,
      { hint: "a person or another program began a rollout: move the alias when that has ended" },
    );
  }
  await registry.setAlias(model, alias, version);
  return { facts, outcome: done };
}

const TAKE: Readonly<Record<StepName, (context: StepContext) => Promise<StepResult>>> = {
  ...{ collect, train, gate: judge, promote },
};

function factsOf<T>(run: RunRecord, step: StepName): T | undefined {
  return run.steps.find((record) => record.step === step)?.facts as T | undefined;
}

function dataOf(run: RunRecord): CutData {
  const data = factsOf<CutData>(run, "collect");
  assert(data !== undefined, "data are collected before they are used");
  return data;
}

function trainedOf(run: RunRecord): TrainedVersion {
  const trained = factsOf<TrainedVersion>(run, "train");
  assert(trained !== undefined, "a version is trained before it is judged");
  return trained;
}
