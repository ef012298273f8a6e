import { SeededRandom, SerinError, silentLog } from "../../core/mod.ts";
import { openDatabase } from "../../database/mod.ts";
import { assertEquals, assertSerinError, assertTrue, FakeClock } from "../../testing/mod.ts";
import { checkBlock } from "./check_block.ts";
import { exportPredictions } from "./export_predictions.ts";
import {
  encodeBatch,
  type LogCursor,
  type PredictionBatch,
  type SentBlock,
} from "./prediction_batch.ts";
import { BlockWriter, type LoggedAnswer, packedBytesMax } from "./prediction_block.ts";
import { PredictionReader } from "./prediction_reader.ts";
import { PredictionReceiver } from "./prediction_receiver.ts";
import { PredictionLog } from "./prediction_log.ts";
import { insertBlock, type RingOptions } from "./prediction_ring.ts";
import { PREDICTION_MIGRATIONS } from "./schema.ts";

const MEBIBYTE = 1024 * 1024;
const LOG = "0b5fdf0e-6b3f-4a43-9d3a-0d6f0c0f6a11", OTHER = LOG.replace("0b", "1c");

interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly clock: FakeClock;
  receiver: PredictionReceiver;
  open(): Promise<PredictionReceiver>;
  labels(): (string | undefined)[];
}

async function openBench(changes: Partial<RingOptions> = {}): Promise<Bench> {
  const folder = await Deno.makeTempDir(), clock = new FakeClock();
  const open = () =>
    PredictionReceiver.open({ folder, bytesMax: 16 * MEBIBYTE, clock, ...changes });
  const bench: Bench = {
    ...{ folder, clock, open, receiver: await open() },
    labels() {
      using reader = PredictionReader.open([folder]);
      return [...reader.rows({ model: "m" })].map(({ label }) => label);
    },
    async [Symbol.asyncDispose]() {
      bench.receiver.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return bench;
}

function nonceOf(n: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, n >> 8, n & 255);
}

function answerOf(n: number, changes: Partial<LoggedAnswer> = {}): LoggedAnswer {
  return {
    ...{ model: "m", version: "1", arm: "stable", time: 1000 + n, nonce: nonceOf(n), rows: 1 },
    inputs: [
      { name: "x", datatype: "FP32", data: Float32Array.of(n) },
      { name: "place", datatype: "BYTES", data: [`p${n}`] },
    ],
    labels: [1],
    scores: Float32Array.of(0.5),
    ...changes,
  };
}

function blockOf(id: number, ...answers: LoggedAnswer[]): SentBlock {
  const writer = new BlockWriter(
    answers[0],
    answers.reduce((sum, one) => sum + packedBytesMax(one), 0),
  );
  for (const answer of answers) writer.add(answer);
  return { id, ...writer.finish() };
}

const labelOf = (id: number, n: number, label: string) => ({
  id,
  nonce: nonceOf(n),
  row: 0,
  label,
});

function batchOf(changes: Partial<PredictionBatch>): Uint8Array<ArrayBuffer> {
  const { blocks = [], labels = [] } = changes;
  const to: LogCursor = { block: blocks.at(-1)?.id ?? 0, label: labels.at(-1)?.id ?? 0 };
  return encodeBatch({ log: LOG, from: { block: 0, label: 0 }, to, ...changes, blocks, labels });
}

Deno.test("a batch that comes again, in part or as a whole, adds nothing; the first label counts", async () => {
  await using bench = await openBench();
  const blocks = [1, 2, 4].map((id) => blockOf(id, answerOf(2 * id), answerOf(2 * id + 1)));
  const labels = [labelOf(3, 2, "1"), labelOf(7, 9, "0"), labelOf(8, 2, "0")];
  const whole = batchOf({ blocks, labels });
  assertEquals(bench.receiver.take(batchOf({ blocks: blocks.slice(0, 1) })).cursor, {
    ...{ block: 1, label: 0 },
  });
  for (let i = 0; i < 2; i++) {
    assertEquals(bench.receiver.take(whole), { cursor: { block: 4, label: 8 }, refused: [] });
  }
  assertEquals(bench.receiver.take(batchOf({ blocks: blocks.slice(1, 2) })).cursor.block, 4);
  assertEquals(bench.labels(), ["1", undefined, undefined, undefined, undefined, "0"]);
  assertEquals([...bench.receiver.stats.rows], [["m", 6]]);
  assertEquals(bench.receiver.stats.labels, 3);
  // The same numbers of another log are other rows; a label of either is joined.
  const other = batchOf({ log: OTHER, blocks: [blockOf(1, answerOf(50))], labels: [] });
  bench.receiver.take(other);
  bench.receiver.take(batchOf({ labels: [labelOf(9, 50, "late")] }));
  assertEquals(bench.labels().at(-1), "late");
  assertEquals(bench.receiver.stats.rows.get("m"), 7);
});

Deno.test("how far a log has come is known after a restart, and what is no log's name is refused", async () => {
  await using bench = await openBench();
  const to = { block: 12, label: 30 };
  bench.receiver.take(batchOf({ blocks: [blockOf(9, answerOf(1))], to }));
  bench.receiver.close();
  bench.receiver = await bench.open();
  assertEquals(bench.receiver.cursorOf(LOG), to);
  assertEquals(bench.receiver.cursorOf(OTHER), { block: 0, label: 0 });
  for (const id of ["", "x", LOG.toUpperCase(), `${LOG}\n`]) {
    await assertSerinError(() => bench.receiver.cursorOf(id), "invalid_input", "names no");
  }
});

Deno.test("a receiver that has less than it has said takes nothing, and says from where to send", async () => {
  await using bench = await openBench();
  const first = [blockOf(1, answerOf(1))], second = [blockOf(2, answerOf(2))];
  const from = { block: 1, label: 0 };
  assertEquals(bench.receiver.take(batchOf({ from, blocks: second })), {
    ...{ cursor: { block: 0, label: 0 }, refused: [] },
  });
  bench.receiver.take(batchOf({ blocks: first, labels: [labelOf(4, 1, "1")] }));
  assertEquals(bench.receiver.take(batchOf({ from, blocks: second })).cursor, {
    ...{ block: 2, label: 4 },
  });
  assertEquals(bench.labels(), ["1", undefined]);
});

Deno.test("what is no batch is refused as a whole, with what is wrong", async () => {
  await using bench = await openBench();
  const good = batchOf({ blocks: [blockOf(1, answerOf(1))], labels: [labelOf(1, 1, "1")] });
  const cases: [packed: Uint8Array, part: string][] = [
    [new Uint8Array(), "format 1"],
    [new TextEncoder().encode("no batch at all"), "format 1"],
    [Uint8Array.from(good, (byte, i) => i === 3 ? 2 : byte), "format 1"],
    [Uint8Array.from(good, (byte, i) => i === 7 ? 255 : byte), "its header has"],
    [Uint8Array.from(good, (byte, i) => i === 8 ? 0 : byte), "no JSON"],
    [good.subarray(0, good.length - 1), "bytes"],
    [Uint8Array.of(...good, 0), "bytes"],
    [batchOf({ log: "mine" }), "log"],
    [batchOf({ from: { block: 1, label: 0 } }), "from 1 to 0"],
    [batchOf({ blocks: [2, 2].map((id) => blockOf(id, answerOf(1))) }), "blocks.1"],
    [batchOf({ blocks: [blockOf(2, answerOf(1))], to: { block: 1, label: 0 } }), "up to 1"],
    [batchOf({ labels: [labelOf(2, 1, "1"), labelOf(1, 1, "1")] }), "labels.0"],
    [batchOf({ labels: [labelOf(1, 1, "a\0")] }), "labels"],
    [batchOf({ labels: [labelOf(1, 1, "x".repeat(1001))] }), "labels"],
    [batchOf({ labels: [{ ...labelOf(1, 1, "1"), row: -1 }] }), "labels"],
    [batchOf({ labels: [{ ...labelOf(1, 1, "1"), nonce: Uint8Array.of(1) }] }), "labels"],
  ];
  for (const [packed, part] of cases) {
    await assertSerinError(
      () => bench.receiver.take(packed as Uint8Array<ArrayBuffer>),
      "invalid_input",
      "no batch of predictions",
      part,
    );
  }
  assertEquals(bench.receiver.cursorOf(LOG), { block: 0, label: 0 });
  assertEquals(bench.receiver.take(good).cursor, { block: 1, label: 1 });
});

/** A block with bytes of its own: a byte may be changed. */
function poison(changes: Partial<SentBlock>, at?: number, byte?: number): SentBlock {
  const block = blockOf(1, answerOf(1), answerOf(2));
  const bytes = block.bytes.slice();
  if (at !== undefined) bytes[at] = byte!;
  return { ...block, bytes, ...changes };
}

Deno.test("a block that an export could not read is left out and told, its neighbours are kept", async () => {
  const whole = poison({}), { length } = whole.bytes;
  const poisoned: [block: SentBlock, part: string][] = [
    [poison({ model: "" }), "model"],
    [poison({ model: "a\0" }), "model"],
    [poison({ version: "x".repeat(1001) }), "version"],
    [poison({ columns: [] }), "0 columns"],
    [poison({ columns: whole.columns.slice(1) }), ""],
    [poison({ columns: [...whole.columns, { name: "more", datatype: "FP64" }] }), ""],
    [poison({ columns: [whole.columns[0], { name: "b\0", datatype: "BYTES" }] }), "column"],
    [poison({ columns: [{ name: "a", datatype: "fp32" }, whole.columns[1]] }), "datatype"],
    [poison({ rows: 3 }), "2 rows in 2 requests"],
    [poison({ requests: 1 }), "2 rows in 2 requests"],
    [poison({ firstMs: 0 }), "claims 0"],
    [poison({ lastMs: 9e15 }), "claims"],
    [poison({ bytes: new Uint8Array(), rows: 0, requests: 0 }), "empty"],
    [poison({ bytes: whole.bytes.slice(0, length - 1) }), "within an answer"],
    [poison({ bytes: Uint8Array.of(...whole.bytes, 0) }), "within an answer"],
    [poison({ bytes: new Uint8Array(2 * MEBIBYTE + 1) }), "2097153 bytes"],
    [poison({}, 0, 128), "flags 128"],
    [poison({}, 0, 4 | 8), "flags 12"],
    [poison({}, 1, 200), "values for 200 rows"],
    [poison({}, 3, 200), "values for"],
    [poison({}, 12, 0x7f), "no time"],
    [poison({}, 12, 0xff), "no time"],
    // The number of values of the first column, and the length of the text.
    [poison({}, 21, 0), "values for 1 rows"],
    [poison({}, 24, 255), "within an answer"],
    [poison({}, 33, 255), ""],
    [poison({}, 36, 255), "within an answer"],
  ];
  checkBlock(whole);
  await using bench = await openBench();
  let id = 1;
  for (const [block, part] of poisoned) {
    const blocks = [
      { ...blockOf(id, answerOf(10)) },
      { ...block, id: id + 1 },
      { ...blockOf(id + 2, answerOf(11)) },
    ];
    const { cursor, refused } = bench.receiver.take(batchOf({ blocks }));
    assertEquals([cursor.block, refused.map((one) => one.id)], [id + 2, [id + 1]], part);
    assertTrue(refused[0].message.includes(part), `${part}: ${refused[0].message}`);
    id += 3;
  }
  assertEquals(bench.labels().length, 2 * poisoned.length);
  using reader = PredictionReader.open([bench.folder]);
  const path = `${bench.folder}/out.csv`;
  const { rows } = await exportPredictions(reader, { model: "m", path, target: "y" });
  assertEquals([rows, reader.models()], [2 * poisoned.length, ["m"]]);
  const { refusedRows, rows: kept } = bench.receiver.stats;
  assertEquals([refusedRows > poisoned.length, [...kept.keys()]], [true, ["m"]]);
});

Deno.test("bytes that nobody wrote never end the receiver nor an export", async () => {
  await using bench = await openBench();
  const random = new SeededRandom(11);
  let kept = 0;
  for (let id = 1; id <= 400; id++) {
    const block = blockOf(id, answerOf(1), answerOf(2), answerOf(3));
    const bytes = block.bytes.slice();
    for (let n = random.uint32() % 3; n >= 0; n--) {
      bytes[random.uint32() % bytes.length] = random.uint32() & 255;
    }
    const { refused } = bench.receiver.take(batchOf({ blocks: [{ ...block, bytes }] }));
    if (refused.length === 0) kept += 3;
  }
  using reader = PredictionReader.open([bench.folder]);
  const path = `${bench.folder}/out.csv`;
  const { rows } = await exportPredictions(reader, { model: "m", path, target: "y" });
  assertEquals(rows, kept);
  assertTrue(kept > 0 && kept < 1200, `${kept} of 1200 rows were kept`);
});

Deno.test("a full disk: the batch is to come again, and nothing of it was taken", async () => {
  let full = true;
  await using bench = await openBench({
    openDatabase: (path) => {
      const database = openDatabase(path, PREDICTION_MIGRATIONS);
      return {
        ...{ read: (read) => database.read(read), close: () => database.close() },
        transaction: (write) =>
          database.transaction((tx) => {
            const result = write(tx);
            if (full) throw new SerinError("storage", "database or disk is full");
            return result;
          }),
        [Symbol.dispose]: () => database.close(),
      };
    },
  });
  const packed = batchOf({ blocks: [blockOf(1, answerOf(1))], labels: [labelOf(1, 1, "1")] });
  const refused = await assertSerinError(
    () => bench.receiver.take(packed),
    "unavailable",
    "disk is full",
    "sends them again",
  );
  assertEquals([refused.status, refused.retriable], [503, true]);
  assertEquals(bench.receiver.cursorOf(LOG), { block: 0, label: 0 });
  full = false;
  assertEquals(bench.receiver.take(packed).cursor, { block: 1, label: 1 });
  assertEquals([bench.labels(), bench.receiver.stats.rows.get("m")], [["1"], 1]);
});

Deno.test("at the limit the oldest rows of all logs leave, with their labels", async () => {
  await using bench = await openBench({ bytesMax: MEBIBYTE });
  const place = "x".repeat(20_000);
  for (let id = 1; id <= 200; id++) {
    const answer = answerOf(id, {
      time: bench.clock.now(),
      inputs: [
        { name: "x", datatype: "FP32", data: Float32Array.of(id) },
        { name: "place", datatype: "BYTES", data: [place] },
      ],
    });
    bench.clock.advance(1000);
    const log = id % 2 === 0 ? LOG : OTHER;
    bench.receiver.take(
      batchOf({ log, blocks: [blockOf(id, answer)], labels: [labelOf(id, id, "1")] }),
    );
  }
  assertTrue(bench.receiver.stats.bytes <= MEBIBYTE, `${bench.receiver.stats.bytes} bytes`);
  using reader = PredictionReader.open([bench.folder]);
  const rows = [...reader.rows({ model: "m" })];
  assertEquals(rows.at(-1)!.inputs.get("x")!.value, 200);
  assertTrue(rows.length > 30 && rows.length < 60, `${rows.length} rows are kept`);
  assertTrue(rows.every(({ label }) => label === "1"), "every row that is kept has its label");
  assertEquals([...bench.receiver.stats.rows], [["m", 200]]);
});

Deno.test("rings of before are opened with their labels and numbers, and can be read before they were", async () => {
  const long = "ü".repeat(300);
  for (const known of [1, 2]) {
    const folder = await Deno.makeTempDir();
    const old = openDatabase(`${folder}/predictions.db`, PREDICTION_MIGRATIONS.slice(0, known));
    old.transaction((tx) => {
      insertBlock(tx, blockOf(1, ...[1, 2, 3, 4, 5].map((n) => answerOf(n))));
      for (const [n, label, arrived] of [[2, "2", 20], [1, long, 30], [3, "", 10]] as const) {
        const columns = "INSERT INTO prediction_label (nonce, row, label, arrived_ms)";
        tx.run(`${columns} VALUES (?, 0, ?, ?)`, nonceOf(n), label, arrived);
      }
      // A number that was given once is not given again, though its label has left.
      if (known === 2) tx.run("DELETE FROM prediction_label WHERE label = ''");
    });
    old.close();
    const labelsIn = () => {
      using reader = PredictionReader.open([folder]);
      return [...reader.rows({ model: "m" })].map(({ label }) => label);
    };
    const third = known === 1 ? "" : undefined;
    assertEquals(labelsIn(), [long, "2", third, undefined, undefined]);
    const options = { folder, rate: 1, bytesMax: MEBIBYTE, clock: new FakeClock(), log: silentLog };
    const log = await PredictionLog.open(options);
    assertEquals(labelsIn(), [long, "2", third, undefined, undefined]);
    const fresh = [[1, "again"], [4, 4]] as const;
    log.addLabels(fresh.map(([n, label]) => ({ nonce: nonceOf(n), row: 0, label })));
    log.write({ now: true });
    assertEquals(labelsIn(), [long, "2", third, "4", undefined]);
    const sent = log.outbox().read().labels.map(({ id, label }) => [id, label]);
    assertEquals(
      sent,
      known === 1
        ? [[1, ""], [2, "2"], [3, long], [4, "again"], [5, "4"]]
        : [[1, "2"], [2, long], [4, "again"], [5, "4"]],
    );
    log.close();
    await Deno.remove(folder, { recursive: true });
  }
});
