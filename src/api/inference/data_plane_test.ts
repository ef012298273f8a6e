import { SeededRandom, SerinError, systemClock } from "../../core/mod.ts";
import type { NamedTensor, ServedModel, Signature } from "../../inference/mod.ts";
import { CountCells } from "../../rollout/router/mod.ts";
import { InferenceStats } from "../../telemetry/inference_stats.ts";
import { assertEquals } from "../../testing/mod.ts";
import { type AnsweredRequest, DataPlane, type PredictionFacts } from "./data_plane.ts";
import { checkOutputs } from "./oip.ts";

const STABLE = 0, CANARY = 1;

/** A version that answers every request it takes. */
function fake(version: string, outputs: string[], missingAllowed = false): ServedModel {
  const tensors = outputs.map((name): NamedTensor => ({
    name,
    datatype: "INT64",
    shape: [1],
    data: BigInt64Array.of(1n),
  }));
  const signature: Signature = {
    inputs: [],
    outputs: tensors.map(({ name, datatype }) => ({ name, datatype, shape: [-1] })),
    missingAllowed,
  };
  return {
    model: "m",
    registered: "m",
    version,
    signature,
    warm: () => Promise.resolve(),
    run(_: unknown, attempt: { began(): void; ended(ms: number, failure: unknown): void }) {
      attempt.began();
      attempt.ended(1, undefined);
      return Promise.resolve(tensors);
    },
  } as unknown as ServedModel;
}

/** Two versions, the canary with a share of one half. */
async function openSplit(stable: ServedModel, canary: ServedModel) {
  const counts = new CountCells(), sealed: PredictionFacts[] = [];
  const answered: AnsweredRequest[] = [];
  const plane = new DataPlane({
    clock: systemClock,
    random: new SeededRandom(3),
    counts,
    stats: new InferenceStats(),
    sealToken: (facts) => {
      sealed.push(facts);
      return `token ${sealed.length}`;
    },
    onAnswer: (one) => answered.push(one),
    onBadEvent: () => {},
    onCrash: () => {},
  });
  await plane.add(stable);
  await plane.add(canary);
  plane.apply("m", {
    stable: "1",
    assignment: {
      rollout: "r",
      stable: "1",
      canary: "2",
      step: 0,
      share: 0.5,
      salt: "",
      latencyTolerance: { relative: 0.2, absoluteMs: 1 },
    },
    cells: { stable: STABLE, canary: CANARY },
  });
  const ask = async (decode: (signature: Signature) => void) => {
    const request = {
      model: "m",
      version: undefined,
      key: undefined,
      decode: (signature: Signature) => {
        decode(signature);
        return { rows: 1, tensors: [] };
      },
    };
    const codes = new Map<string, number>();
    for (let i = 0; i < 100; i++) {
      const code = await plane.infer(request).then(
        ({ version }) => version,
        (thrown) => thrown.code,
      );
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    return codes;
  };
  return {
    ask,
    sealed,
    answered,
    count: (cell: number, field: "requests" | "errors") => counts.read(cell, field),
  };
}

Deno.test("an output that the canary lost is its error, not the caller's", async () => {
  const { ask, count } = await openSplit(fake("1", ["label", "score"]), fake("2", ["label"]));
  const codes = await ask((signature) => checkOutputs(signature, ["score"]));
  assertEquals([...codes.keys()].sort(), ["1", "inference_failed"]);
  assertEquals(count(CANARY, "errors"), codes.get("inference_failed"));
  assertEquals(count(STABLE, "requests"), codes.get("1"));
});

Deno.test("whoever watches is told of each answer, with the token and at the time that the token says", async () => {
  const { ask, sealed, answered } = await openSplit(fake("1", ["y"]), fake("2", ["y"]));
  await ask(() => {});
  assertEquals(answered.length, 100);
  assertEquals(
    answered.map(({ served, draw, time, token }) => [served.version, draw, time, token]),
    sealed.map(({ version, draw, time }, i) => [version, draw, time, `token ${i + 1}`]),
  );
});

Deno.test("what only the canary takes is answered and gives no evidence, nor do its labels", async () => {
  const { ask, count, sealed } = await openSplit(fake("1", ["y"]), fake("2", ["y"], true));
  const codes = await ask(({ missingAllowed }) => {
    if (!missingAllowed) throw new SerinError("invalid_input", "a missing value is not allowed");
  });
  assertEquals([...codes.keys()].sort(), ["2", "invalid_input"]);
  assertEquals([count(STABLE, "requests"), count(CANARY, "requests")], [0, 0]);
  assertEquals(sealed.every(({ draw }) => draw.assignment === undefined), true);
  const both = await ask(() => {});
  assertEquals(count(CANARY, "requests"), both.get("2"));
  assertEquals(count(STABLE, "requests"), both.get("1"));
});
