import { SerinError, silentLog, SystemRandom } from "../../core/mod.ts";
import { openDatabase } from "../../database/mod.ts";
import { readCsv } from "../../dataset/mod.ts";
import { assertEquals, assertSerinError, assertTrue, FakeClock } from "../../testing/mod.ts";
import { exportPredictions } from "./export_predictions.ts";
import type { LoggedAnswer } from "./prediction_block.ts";
import { PredictionLog, type PredictionLogOptions } from "./prediction_log.ts";
import { PredictionReader } from "./prediction_reader.ts";
import { PredictionRecorder } from "./prediction_recorder.ts";
import { PREDICTION_MIGRATIONS } from "./schema.ts";

const MEBIBYTE = 1024 * 1024;

interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly log: PredictionLog;
  readonly recorder: PredictionRecorder;
  /** Logs and writes; the n-th has the nonce n. */
  answer(n: number, changes?: Partial<LoggedAnswer>): void;
  write(): void;
}

async function openBench(changes: Partial<PredictionLogOptions> = {}): Promise<Bench> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock();
  const options = { folder, rate: 1, bytesMax: 16 * MEBIBYTE, clock, log: silentLog };
  const log = await PredictionLog.open({ ...options, ...changes });
  const recorder = new PredictionRecorder({
    rate: 1,
    random: new SystemRandom(),
    post: (recorded) => log.add(recorded, (bytes) => recorder.taken(bytes)),
  });
  return {
    folder,
    clock,
    log,
    recorder,
    answer: (n, changes = {}) => recorder.record(answerOf(n, clock.now(), changes)),
    write() {
      recorder.flush();
      log.write({ now: true });
    },
    async [Symbol.asyncDispose]() {
      log.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function nonceOf(n: number): Uint8Array {
  const nonce = new Uint8Array(8);
  new DataView(nonce.buffer).setUint32(4, n);
  return nonce;
}

function answerOf(n: number, time: number, changes: Partial<LoggedAnswer>): LoggedAnswer {
  return {
    model: "m",
    version: "1",
    arm: "stable",
    time,
    nonce: nonceOf(n),
    rows: 1,
    inputs: [
      { name: "x", datatype: "FP32", data: Float32Array.of(n + 0.1) },
      { name: "place", datatype: "BYTES", data: [n % 2 === 0 ? "a,b" : "c"] },
    ],
    labels: [1],
    scores: Float32Array.of(0.5),
    ...changes,
  };
}

Deno.test("rows are read while they are written; the first label of a row counts", async () => {
  await using bench = await openBench();
  for (let n = 0; n < 4; n++) bench.answer(n);
  bench.answer(4, {
    rows: 2,
    inputs: [
      { name: "x", datatype: "FP32", data: Float32Array.of(4, 5) },
      { name: "place", datatype: "BYTES", data: ["p", "q"] },
    ],
    labels: [0, 1],
    scores: Float32Array.of(0.25, 0.75),
  });
  bench.write();
  bench.clock.advance(1000);
  bench.log.addLabels([
    { nonce: nonceOf(1), row: 0, label: 1 },
    { nonce: nonceOf(1), row: 0, label: 0 },
    { nonce: nonceOf(4), row: 1, label: true },
    { nonce: nonceOf(99), row: 0, label: "of another replica" },
  ]);
  bench.write();
  using reader = PredictionReader.open([bench.folder]);
  const rows = [...reader.rows({ model: "m" })];
  assertEquals(rows.map(({ label }) => label), [
    undefined,
    "1",
    undefined,
    undefined,
    undefined,
    "1",
  ]);
  assertEquals([...rows[5].inputs.values()].map(({ value }) => value), [5, "q"]);
  assertEquals([...reader.rows({ model: "m", labelled: true })].length, 2);
  assertEquals(bench.log.stats.rows.get("m"), 6);
  assertEquals(bench.log.stats.labels, 4);
});

Deno.test("an export is a table that training takes", async () => {
  await using bench = await openBench();
  for (let n = 0; n < 3; n++) bench.answer(n);
  bench.write();
  bench.clock.advance(60_000);
  const since = bench.clock.now();
  for (let n = 3; n < 5; n++) bench.answer(n);
  bench.log.addLabels([0, 3].map((n) => ({ nonce: nonceOf(n), row: 0, label: "UP" })));
  bench.write();
  using reader = PredictionReader.open([bench.folder]);
  const path = `${bench.folder}/out.csv`;
  const text = () => Deno.readTextFile(path);
  const all = await exportPredictions(reader, { model: "m", path, target: "target" });
  assertEquals(
    await text(),
    'x,place,target\n0.1,"a,b",UP\n1.1,c,\n2.1,"a,b",\n3.1,c,UP\n4.1,"a,b",\n',
  );
  assertEquals([all.rows, all.labelled], [5, 2]);
  await exportPredictions(reader, {
    model: "m",
    path,
    target: "y",
    sinceMs: since,
    labelled: true,
  });
  assertEquals(await text(), "x,place,y\n3.1,c,UP\n");
  assertEquals((await readCsv(await Deno.readFile(path), { source: path })).rows, 1);
  await assertSerinError(
    () => exportPredictions(reader, { model: "m", path, target: "x" }),
    "invalid_input",
    '"x"',
    "--target",
  );
  await assertSerinError(
    () => exportPredictions(reader, { model: "n", path, target: "y" }),
    "not_found",
    '"n"',
    "rows of m",
  );
  assertEquals(await text(), "x,place,y\n3.1,c,UP\n");
});

Deno.test("labels of one replica meet the predictions of another", async () => {
  await using here = await openBench();
  await using there = await openBench();
  here.answer(1);
  here.write();
  there.log.addLabels([{ nonce: nonceOf(1), row: 0, label: 0 }]);
  there.write();
  using reader = PredictionReader.open([here.folder, there.folder]);
  assertEquals([...reader.rows({ model: "m" })].map(({ label }) => label), ["0"]);
});

Deno.test("at the limit the oldest rows leave, with their labels", async () => {
  await using bench = await openBench({ bytesMax: MEBIBYTE });
  const place = "x".repeat(1000);
  for (let n = 0; n < 4000; n++) {
    const x = Float32Array.of(n);
    bench.answer(n, {
      inputs: [
        { name: "x", datatype: "FP32", data: x },
        { name: "place", datatype: "BYTES", data: [place] },
      ],
    });
    bench.log.addLabels([{ nonce: nonceOf(n), row: 0, label: 1 }]);
    bench.clock.advance(10);
    if (n % 50 === 49) bench.write();
  }
  bench.write();
  assertTrue(bench.log.stats.bytes <= MEBIBYTE, `${bench.log.stats.bytes} bytes`);
  const { size } = await Deno.stat(`${bench.folder}/predictions.db`);
  assertTrue(size < 1.5 * MEBIBYTE, `the file has ${size} bytes`);
  using reader = PredictionReader.open([bench.folder]);
  const rows = [...reader.rows({ model: "m" })];
  const first = rows[0].inputs.get("x")!.value as number;
  assertEquals(rows.at(-1)!.inputs.get("x")!.value, 3999);
  assertEquals(rows.length, 4000 - first);
  assertTrue(rows.length > 500, `${rows.length} rows are kept`);
  assertTrue(rows.every(({ label }) => label === "1"), "every row that is kept has its label");
  assertEquals([...bench.log.stats.dropped], []);
});

Deno.test("a second process is refused, and what was written is there after the end", async () => {
  const folder = await Deno.makeTempDir();
  const options = { folder, rate: 1, bytesMax: MEBIBYTE, clock: new FakeClock(), log: silentLog };
  const first = await PredictionLog.open(options);
  await assertSerinError(() => PredictionLog.open(options), "conflict", folder, "--prediction-log");
  const taken: number[] = [];
  new PredictionRecorder({
    rate: 1,
    random: new SystemRandom(),
    post: (recorded) => first.add(recorded, (bytes) => taken.push(bytes)),
  }).flush();
  const recorder = new PredictionRecorder({
    rate: 1,
    random: new SystemRandom(),
    post: (recorded) => first.add(recorded, (bytes) => taken.push(bytes)),
  });
  recorder.record(answerOf(1, 5, {}));
  recorder.flush();
  first.close();
  assertEquals(taken.length, 1);
  using second = await PredictionLog.open(options);
  assertEquals(second.stats.rows.size, 0);
  using reader = PredictionReader.open([folder]);
  assertEquals([...reader.rows({ model: "m" })].length, 1);
  second.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a full disk: rows and labels are counted as lost, later ones are written", async () => {
  let full = false;
  await using bench = await openBench({
    openDatabase: (path) => {
      const database = openDatabase(path, PREDICTION_MIGRATIONS);
      return {
        ...{ read: (read) => database.read(read), close: () => database.close() },
        transaction: (write) => {
          if (!full) return database.transaction(write);
          throw new SerinError("storage", "Cannot write: database or disk is full");
        },
        [Symbol.dispose]: () => database.close(),
      };
    },
  });
  full = true;
  bench.answer(1);
  bench.log.addLabels([{ nonce: nonceOf(1), row: 0, label: 1 }]);
  bench.write();
  assertEquals(bench.log.stats.dropped, [{ model: "m", reason: "storage", rows: 1 }]);
  assertEquals(bench.log.stats.labelsDropped, 1);
  full = false;
  bench.answer(2);
  bench.recorder.flush();
  bench.log.write();
  assertEquals(bench.log.stats.rows.size, 0, "the disk has its rest");
  bench.clock.advance(6000);
  bench.log.write();
  assertEquals(bench.log.stats.rows.get("m"), 1);
});

Deno.test("limits and rates that cannot be kept are refused; a missing log is named", async () => {
  const folder = await Deno.makeTempDir();
  const options = { folder, rate: 1, bytesMax: MEBIBYTE, clock: new FakeClock(), log: silentLog };
  const open = (changes: object) => () => PredictionLog.open({ ...options, ...changes });
  await assertSerinError(open({ bytesMax: 1000 }), "configuration", "1000", "1Mi");
  await assertSerinError(open({ rate: 0 }), "configuration", "--prediction-log-rate");
  await assertSerinError(open({ folder: `${folder}/a\0b` }), "storage");
  await assertSerinError(() => PredictionReader.open([`${folder}/none`]), "not_found", "none");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("of a long log, the newest labelled rows are exported, and others have their turn", async () => {
  await using bench = await openBench();
  for (let n = 0; n < 40; n++) {
    bench.clock.advance(1000);
    const nonce = nonceOf(n), rows = n === 30 ? 6000 : 1;
    const x = { name: "x", datatype: "FP32", data: new Float32Array(rows).fill(n) };
    bench.answer(n, { rows, inputs: [x], labels: undefined, scores: undefined });
    bench.log.addLabels(n % 4 === 0 ? [{ nonce, row: 0, label: n }] : []);
    bench.write();
  }
  using reader = PredictionReader.open([bench.folder]);
  const path = `${bench.folder}/out.csv`, all = { model: "m", target: "y", labelled: true, path };
  const labels = async (newestRows?: number) => {
    await exportPredictions(reader, { ...all, newestRows });
    return (await readCsv(await Deno.readFile(path), { source: path })).rows;
  };
  assertEquals([await labels(), await labels(3), await labels(10), await labels(99)], [
    ...[10, 3, 10, 10],
  ]);
  assertEquals((await Deno.readTextFile(path)).split("\n")[1], "0,0");
  await labels(3);
  assertEquals(await Deno.readTextFile(path), "x,y\n28,28\n32,32\n36,36\n");
  let turns = 0, from = 0, to = 0, done = false;
  const rows = reader.rows.bind(reader);
  reader.rows = function* (filter) {
    from = turns;
    yield* rows(filter);
    to = turns;
  };
  const turn = () => setTimeout(() => done || (turns++, turn()), 0);
  turn();
  await exportPredictions(reader, { ...all, sinceMs: bench.clock.now() - 12_000 });
  done = true;
  assertTrue(to - from >= 3, `${to - from} turns while 6,000 rows without a label are passed over`);
});

Deno.test("a part of the log has its labels, late ones and those of a clock that is behind", async () => {
  await using bench = await openBench();
  const DAY_MS = 24 * 3600 * 1000, begin = bench.clock.now();
  bench.answer(1);
  bench.write();
  bench.clock.advance(3 * DAY_MS);
  // Answered by a machine whose clock is an hour ahead; the first one's label comes days late.
  bench.answer(2, { time: bench.clock.now() + 3_600_000 });
  bench.log.addLabels([1, 2].map((n) => ({ nonce: nonceOf(n), row: 0, label: n })));
  bench.write();
  using reader = PredictionReader.open([bench.folder]);
  const labelsSince = (sinceMs: number) =>
    [...reader.rows({ model: "m", sinceMs })].map(({ label }) => label);
  assertEquals(labelsSince(begin), ["1", "2"]);
  assertEquals(labelsSince(begin + 3 * DAY_MS), ["2"]);
});
