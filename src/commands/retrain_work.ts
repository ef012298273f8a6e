import { messageOf, storageError } from "../core/mod.ts";
import type { GateVerdict, RetrainGate, RetrainTrainer, RowRange } from "../retrain/mod.ts";
import type { GateOptions } from "./gate_run.ts";
import { callIsolate } from "./isolate_call.ts";
import type { RegistryAccess } from "./registry_client.ts";
import type { TrainOptions } from "./train_run.ts";

/** The registry that versions are made in. */
export type WorkRegistry = Pick<RegistryAccess, "registryTokenFile" | "registryToken"> & {
  readonly registry: string;
};

const REGISTRY_WAIT_SECONDS = 30;

interface Trained {
  readonly run_id: string;
  readonly registered: { readonly version: string };
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** Trains in a Worker, as `serin train --register` does. */
export function openTrainer(registry: WorkRegistry): RetrainTrainer {
  return {
    isElsewhere: false,
    async train({ model, data: { target }, train: spec }, { path }, { rows, out }) {
      const options: TrainOptions = {
        ...{ data: path, target, spec, rows: textOf(rows), out, overwrite: true },
        ...{ ...registry, registryWaitSeconds: REGISTRY_WAIT_SECONDS, register: model, json: true },
      };
      const trained = await inWorker<Trained>("train", options);
      const { run_id: runId, registered: { version }, metrics } = trained;
      return { version, runId, metrics };
    },
    async runOf(out) {
      try {
        const text = await Deno.readTextFile(`${out}/MLmodel`);
        return /^run_id: *["']?([\w-]+)/m.exec(text)?.[1];
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) return undefined;
        throw storageError(`Cannot read ${out}: ${messageOf(cause)}`, cause);
      }
    },
    // It has ended with its Worker.
    withdraw: () => Promise.resolve(),
  };
}

/** Judges in a Worker, as `serin gate` does: the version gets the result as its tags. */
export function openGate(registry: WorkRegistry): RetrainGate {
  return {
    async judge({ model, champion, gate: spec }, { path }, { version, rows }) {
      const options: GateOptions = {
        ...{ candidate: `models:/${model}/${version}`, champion: `models:/${model}@${champion}` },
        ...{ data: path, rows: textOf(rows), spec, ...registry, json: true },
      };
      const { outcome, verdict } = await inWorker<GateVerdict>("gate", options);
      return { outcome, verdict };
    },
  };
}

const ENTRIES = {
  train: () => new Worker(new URL("./train_isolate.ts", import.meta.url), { type: "module" }),
  gate: () => new Worker(new URL("./gate_isolate.ts", import.meta.url), { type: "module" }),
};

async function inWorker<T>(entry: keyof typeof ENTRIES, options: unknown): Promise<T> {
  const worker = ENTRIES[entry]();
  try {
    return await callIsolate<T>(worker, options);
  } finally {
    worker.terminate();
  }
}

function textOf({ start, end }: RowRange): string {
  return `${start}-${end}`;
}
