import { toFeeds } from "../../src/inference/mod.ts";
import { DataPlane } from "../../src/api/inference/data_plane.ts";
import { systemClock, SystemRandom } from "../../src/core/mod.ts";
import { configureOrt, readOrtWasm, ServedModel } from "../../src/inference/mod.ts";
import { CountCells, createTokenSealer } from "../../src/rollout/router/mod.ts";
import { AnswerRecorder } from "../../src/serving/answer_recorder.ts";
import { readModelPath, toModelFile } from "../../src/serving/model_file.ts";
import { sealPrediction } from "../../src/serving/token_facts.ts";
import { readProfilePath, withProfile } from "../../src/serving/version_profile.ts";
import { VersionSketches } from "../../src/serving/version_sketches.ts";
import { InferenceStats } from "../../src/telemetry/inference_stats.ts";
import { cpuSeconds } from "./bench_load.ts";

/** What a data isolate does besides answering. */
export const ISOLATE_WAYS = ["nothing", "sketches", "recorder", "both"] as const;

/** A way of {@linkcode ISOLATE_WAYS}. */
export type IsolateWay = typeof ISOLATE_WAYS[number];

/** One row, as a request has it. */
export interface BenchRow {
  readonly inputs: readonly { readonly name: string; readonly value: number }[];
}

const WARM_ROUNDS = 20;

/**
 * Asks a data plane in this process, with the real engine and without the network, and switches sketches
 * and recorder on and off from block to block: two processes that do the same differ by more than both
 * cost.
 *
 * @param rows of the electricity model in `folder`; a block asks for each once
 * @returns processor time a request, microseconds, a block
 */
export async function measureIsolate(
  folder: string,
  rows: readonly BenchRow[],
  blocks: number,
): Promise<Record<IsolateWay, number[]>> {
  let way: IsolateWay = "nothing";
  const random = new SystemRandom();
  const sealer = createTokenSealer([{ id: "bench", key: btoa("k".repeat(32)) }], random);
  const sketches = new VersionSketches(600_000);
  const recorder: AnswerRecorder = AnswerRecorder.open(1, random, {
    postMessage: (message) => {
      if (message.type !== "predictions") return;
      for (const { bytes } of message.recorded.blocks) recorder.taken(bytes.length);
    },
  })!;
  const plane = new DataPlane({
    clock: systemClock,
    random,
    counts: new CountCells(),
    stats: new InferenceStats(),
    sealToken: (facts) => sealPrediction(sealer, facts),
    onAnswer: (answered) => {
      if (way === "sketches" || way === "both") sketches.observe(answered);
      if (way === "recorder" || way === "both") recorder.record(answered);
    },
    onBadEvent: () => {},
    onCrash: () => {},
  });
  configureOrt(readOrtWasm());
  const file = withProfile(
    toModelFile("m", "1", await readModelPath(folder)),
    await readProfilePath(folder),
  );
  await using served = await ServedModel.open(file);
  sketches.open(served, file.profile);
  await plane.add(served);
  plane.apply("m", { stable: "1", assignment: null, cells: null });
  const requests = rows.map(({ inputs }) =>
    inputs.map(({ name, value }) => ({
      ...{ name, datatype: "FP32", shape: [1], values: [value] } as const,
    }))
  );
  const taken = { nothing: [], sketches: [], recorder: [], both: [] } as Record<
    IsolateWay,
    number[]
  >;
  for (let block = -WARM_ROUNDS; block < blocks; block++) {
    const order = block % 2 === 0 ? ISOLATE_WAYS : ISOLATE_WAYS.toReversed();
    for (way of order) {
      const before = cpuSeconds(Deno.pid);
      for (const given of requests) {
        await plane.infer({
          ...{ model: "m", version: undefined, key: undefined },
          decode: (signature) => toFeeds(signature, given),
        });
      }
      const seconds = cpuSeconds(Deno.pid) - before;
      if (block >= 0) taken[way].push(seconds * 1e6 / requests.length);
    }
  }
  return taken;
}
