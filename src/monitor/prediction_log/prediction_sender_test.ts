import { LIMITS, openLog, SeededRandom, SerinError, silentLog } from "../../core/mod.ts";
import { assertEquals, assertTrue, FakeClock, until } from "../../testing/mod.ts";
import { type BatchAnswer, type LogCursor } from "./prediction_batch.ts";
import type { LoggedAnswer } from "./prediction_block.ts";
import { PredictionLog } from "./prediction_log.ts";
import { PredictionReader } from "./prediction_reader.ts";
import { PredictionReceiver } from "./prediction_receiver.ts";
import { PredictionRecorder } from "./prediction_recorder.ts";
import { PredictionSender, type ReceiverPort } from "./prediction_sender.ts";

const MEBIBYTE = 1024 * 1024;

function nonceOf(n: number): Uint8Array {
  const nonce = new Uint8Array(8);
  new DataView(nonce.buffer).setUint32(4, n);
  return nonce;
}

function answerOf(n: number, time: number, text: string): LoggedAnswer {
  return {
    ...{ model: "m", version: "1", arm: "stable", time, nonce: nonceOf(n), rows: 1 },
    inputs: [
      { name: "x", datatype: "FP32", data: Float32Array.of(n) },
      { name: "text", datatype: "BYTES", data: [text] },
    ],
    labels: [1],
    scores: undefined,
  };
}

/** A replica's log and a receiver, each with a folder; what happens between them is the test's. */
class Lab implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly asked: LogCursor[] = [];
  /** What the sender logged. */
  readonly told: { level: string; error?: string }[] = [];
  log!: PredictionLog;
  receiver!: PredictionReceiver;
  sender!: PredictionSender;
  /** Called before the receiver is. */
  before: () => void = () => {};
  /** Called when it has answered, which the sender does not know yet. */
  after: (answer: BatchAnswer) => void = () => {};
  readonly #folder = Deno.makeTempDirSync();

  static async open({ ringBytes = 64 * MEBIBYTE } = {}): Promise<Lab> {
    const lab = new Lab();
    await lab.openLog(ringBytes);
    await lab.openReceiver();
    return lab;
  }

  get ring(): string {
    return `${this.#folder}/ring`;
  }

  get received(): string {
    return `${this.#folder}/received`;
  }

  async openLog(bytesMax = 64 * MEBIBYTE): Promise<void> {
    const { clock } = this;
    this.log = await PredictionLog.open({
      ...{ folder: this.ring, rate: 1, bytesMax, clock, log: silentLog },
    });
    const receiver: ReceiverPort = {
      cursorOf: (log) => this.#ask(() => this.receiver.cursorOf(log)),
      send: (packed) =>
        this.#ask(() => {
          const answer = this.receiver.take(packed);
          this.after(answer);
          return answer;
        }),
    };
    const random = new SeededRandom(5), outbox = this.log.outbox();
    const log = openLog({ format: "json", write: (line) => this.told.push(JSON.parse(line)) });
    this.sender = new PredictionSender({ outbox, receiver, random, log });
  }

  async openReceiver(): Promise<void> {
    const { received: folder, clock } = this;
    this.receiver = await PredictionReceiver.open({ folder, bytesMax: 64 * MEBIBYTE, clock });
  }

  /** Logs rows in one block, without a label. */
  answer(from: number, to: number, text = ""): void {
    const recorder = new PredictionRecorder({
      ...{ rate: 1, random: new SeededRandom(1) },
      post: (recorded) => this.log.add(recorded, () => {}),
    });
    for (let n = from; n < to; n++) recorder.record(answerOf(n, this.clock.now(), text));
    recorder.flush();
    this.log.write({ now: true });
  }

  label(...numbers: number[]): void {
    this.log.addLabels(numbers.map((n) => ({ nonce: nonceOf(n), row: 0, label: `l${n}` })));
    this.log.write({ now: true });
  }

  /** Sends until nothing is left, or something fails. */
  async sendAll(): Promise<string> {
    for (;;) {
      const outcome = await this.sender.step();
      if (outcome === "nothing" || outcome === "failed") return outcome;
    }
  }

  /** What an export of the receiver's folder would hold, in the order of the rows. */
  rows(): string[] {
    using reader = PredictionReader.open([this.received]);
    return [...reader.rows({ model: "m" })]
      .map(({ inputs, label }) =>
        `${inputs.get("x")!.value}${label === undefined ? "" : ` ${label}`}`
      )
      .toSorted((a, b) => parseFloat(a) - parseFloat(b));
  }

  numbers(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, i) => `${from + i}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.log.close();
    this.receiver.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #ask<T>(answer: () => T): Promise<T> {
    await Promise.resolve();
    this.before();
    return answer();
  }
}

const away = () => {
  throw new SerinError("unavailable", "nobody answers");
};

Deno.test("rows and labels are sent once each, in bounded batches, and what comes later too", async () => {
  await using lab = await Lab.open();
  const text = "x".repeat(30_000);
  for (let n = 0; n < 200; n += 2) lab.answer(n, n + 2, text);
  lab.label(3, 199);
  assertEquals(lab.sender.stats, { sentRows: 0, unsentRows: 200, reachable: false });
  let batches = 0, most = 0;
  lab.before = () => batches++;
  lab.after = ({ cursor }) => most = Math.max(most, cursor.block);
  assertEquals(await lab.sender.step(), "more");
  assertTrue(most < 40, `${most} blocks came at once`);
  assertEquals(await lab.sendAll(), "nothing");
  assertTrue(batches >= 6 && batches < 12, `${batches} requests`);
  assertEquals(lab.rows().length, 200);
  assertEquals(lab.rows().filter((row) => row.includes(" ")), ["3 l3", "199 l199"]);
  assertEquals(lab.sender.stats, { sentRows: 200, unsentRows: 0, reachable: true });
  lab.answer(200, 210);
  lab.label(200, 3);
  assertEquals(lab.sender.stats.unsentRows, 10);
  await lab.sendAll();
  assertEquals(lab.rows().slice(-10), ["200 l200", ...lab.numbers(201, 210)]);
  assertEquals([lab.sender.stats.sentRows, lab.log.stats.dropped], [210, []]);
});

Deno.test("many labels go in several batches, by number and by length", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 1);
  const labels = (from: number, count: number, label: string) =>
    lab.log.addLabels(
      Array.from({ length: count }, (_, i) => ({ nonce: nonceOf(from + i), row: 0, label })),
    );
  labels(0, 6000, "1");
  labels(6000, 3000, "y".repeat(1000));
  lab.log.write({ now: true });
  let batches = 0;
  lab.after = () => batches++;
  await lab.sendAll();
  assertEquals(lab.receiver.stats.labels, 9000);
  assertTrue(batches >= 6 && batches <= 9, `${batches} batches`);
});

Deno.test("a receiver that is away, full, or has lost its answer: what waits is sent, nothing twice", async () => {
  await using lab = await Lab.open();
  lab.before = away;
  lab.answer(0, 5);
  lab.label(2);
  for (let i = 0; i < 3; i++) assertEquals(await lab.sender.step(), "failed");
  assertEquals(lab.sender.stats.reachable, false);
  lab.before = () => {};
  assertEquals(await lab.sendAll(), "nothing");
  lab.answer(5, 9);
  lab.after = away;
  assertEquals(await lab.sender.step(), "failed");
  assertEquals([lab.rows().length, lab.sender.stats.unsentRows], [9, 4]);
  lab.after = () => {};
  lab.answer(9, 12);
  assertEquals(await lab.sendAll(), "nothing");
  assertEquals(lab.rows(), ["0", "1", "2 l2", ...lab.numbers(3, 12)]);
  assertEquals(lab.sender.stats, { sentRows: 12, unsentRows: 0, reachable: true });
});

Deno.test("why it is not sent is told once, and again when the reason is another", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 2);
  const fail = async (code: "unavailable" | "unauthenticated", message: string) => {
    lab.before = () => {
      throw new SerinError(code, message);
    };
    for (let i = 0; i < 3; i++) assertEquals(await lab.sender.step(), "failed");
  };
  await fail("unavailable", "nobody answers");
  await fail("unauthenticated", "the token is another one");
  lab.before = () => {};
  assertEquals(await lab.sendAll(), "nothing");
  lab.answer(2, 4);
  await fail("unauthenticated", "the token is another one");
  assertEquals(lab.told.map(({ level, error }) => [level, error]), [
    ["warn", "nobody answers"],
    ["warn", "the token is another one"],
    ["info", undefined],
    ["warn", "the token is another one"],
  ]);
});

Deno.test("either side may be restarted at any moment, also before it has heard of the other", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 4);
  await lab.sendAll();
  lab.answer(4, 8);
  lab.label(1, 6);
  // Ends after the receiver has it, before it hears of it.
  lab.after = away;
  assertEquals(await lab.sender.step(), "failed");
  lab.after = () => {};
  lab.log.close();
  lab.receiver.close();
  await lab.openReceiver();
  await lab.openLog();
  lab.answer(8, 9);
  assertEquals(await lab.sendAll(), "nothing");
  assertEquals(lab.rows(), ["0", "1 l1", "2", "3", "4", "5", "6 l6", "7", "8"]);
  assertEquals(lab.sender.stats, { sentRows: 1, unsentRows: 0, reachable: true });
});

Deno.test("the clock may jump: labels are sent by their numbers, across restarts", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 9);
  lab.clock.jump(3_600_000);
  lab.label(1);
  await lab.sendAll();
  lab.clock.jump(-7_200_000);
  lab.label(2, 3);
  await lab.sendAll();
  lab.log.close();
  await lab.openLog();
  lab.clock.jump(-86_400_000);
  // The first one is known: its number may be spent, the next ones are higher all the same.
  lab.label(1, 4);
  lab.label(5);
  await lab.sendAll();
  assertEquals(
    lab.rows(),
    ["0", "1 l1", "2 l2", "3 l3", "4 l4", "5 l5", "6", "7", "8"],
  );
});

Deno.test("numbers of labels that have left are not given again", async () => {
  await using lab = await Lab.open({ ringBytes: MEBIBYTE });
  lab.label(1, 2, 3);
  await lab.sendAll();
  const before = lab.receiver.cursorOf(lab.log.outbox().log);
  // Rows that need all the room: labels of before are nobody's, and leave.
  lab.clock.advance(1000);
  for (let n = 10; n < 60; n++) lab.answer(n, n + 1, "z".repeat(30_000));
  lab.log.close();
  await lab.openLog(MEBIBYTE);
  lab.label(59);
  await lab.sendAll();
  const { label } = lab.receiver.cursorOf(lab.log.outbox().log);
  assertTrue(label > before.label, `${label} after ${before.label}`);
  assertEquals(lab.rows().at(-1), "59 l59");
});

Deno.test("what leaves the ring unsent is counted, also after a restart; what was sent is not", async () => {
  await using lab = await Lab.open({ ringBytes: MEBIBYTE });
  const large = (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      lab.clock.advance(1000);
      lab.answer(n, n + 1, "z".repeat(30_000));
      lab.label(n);
    }
  };
  large(0, 20);
  await lab.sendAll();
  large(20, 40);
  assertEquals(lab.log.stats.dropped, [], "those that left were sent");
  lab.before = away;
  await lab.sender.step();
  large(40, 80);
  const [{ model, reason, rows }, ...others] = lab.log.stats.dropped;
  assertEquals([model, reason, others], ["m", "unsent", []]);
  assertTrue(rows > 20 && rows < 40, `${rows} rows are counted`);
  assertEquals(lab.sender.stats.unsentRows, 60 - rows);
  assertTrue(lab.log.stats.labelsDropped >= rows - 3, `${lab.log.stats.labelsDropped} labels`);
  lab.log.close();
  await lab.openLog(MEBIBYTE);
  assertEquals(lab.sender.stats.unsentRows, 60 - rows);
  large(80, 90);
  const more = lab.log.stats.dropped[0].rows;
  assertTrue(more >= 8 && more <= 12, `${more} rows are counted`);
  lab.before = () => {};
  await lab.sendAll();
  assertEquals(lab.sender.stats.unsentRows, 0);
  assertEquals(lab.rows().length, 90 - rows - more);
  assertTrue(lab.rows().every((row) => row.includes(" l")), "each with its label");
  assertEquals(lab.sender.stats.sentRows, 70 - rows - more);
});

Deno.test("a log that is not sent counts nothing as unsent", async () => {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock();
  const options = { folder, rate: 1, bytesMax: MEBIBYTE, clock, log: silentLog };
  using log = await PredictionLog.open(options);
  const recorder = new PredictionRecorder({
    ...{ rate: 1, random: new SeededRandom(1) },
    post: (recorded) => log.add(recorded, (bytes) => recorder.taken(bytes)),
  });
  for (let n = 0; n < 80; n++) {
    recorder.record(answerOf(n, clock.now(), "z".repeat(30_000)));
    recorder.flush();
    log.write({ now: true });
  }
  assertEquals(log.stats.dropped, []);
  log.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a receiver whose folder was emptied gets again what the ring still holds", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 3);
  lab.label(1);
  await lab.sendAll();
  lab.receiver.close();
  await Deno.remove(lab.received, { recursive: true });
  await lab.openReceiver();
  lab.answer(3, 5);
  await lab.sendAll();
  assertEquals(lab.rows(), ["0", "1 l1", "2", "3", "4"]);
  assertEquals(lab.sender.stats.unsentRows, 0);
});

Deno.test("a ring that was put back from a copy, or made anew, sends what is written from then on", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 2);
  lab.label(0);
  await lab.sendAll();
  lab.log.close();
  await Deno.copyFile(`${lab.ring}/predictions.db`, `${lab.received}.copy`);
  await lab.openLog();
  lab.answer(2, 3);
  lab.answer(3, 4);
  lab.label(2, 3);
  await lab.sendAll();
  lab.log.close();
  await Deno.rename(`${lab.received}.copy`, `${lab.ring}/predictions.db`);
  await lab.openLog();
  lab.answer(4, 5);
  lab.label(1);
  await lab.sendAll();
  // It was not known yet that the receiver has more: from the answer on it is.
  lab.answer(5, 6);
  lab.label(5);
  await lab.sendAll();
  assertEquals(lab.rows().filter((row) => parseFloat(row) !== 4).toSorted(), [
    ...["0 l0", "1", "2 l2", "3 l3", "5 l5"],
  ]);
  lab.log.close();
  await Deno.remove(lab.ring, { recursive: true });
  await lab.openLog();
  lab.answer(6, 7);
  await lab.sendAll();
  assertEquals(lab.rows().at(-1), "6");
});

Deno.test("blocks that the receiver refuses are told and not sent again", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 2);
  lab.after = (answer) => (answer.refused as unknown[]).push({ id: 1, message: "why" });
  await lab.sendAll();
  lab.after = () => {};
  lab.answer(2, 4);
  await lab.sendAll();
  assertEquals(lab.sender.stats, { sentRows: 2, unsentRows: 0, reachable: true });
  assertEquals(lab.log.stats.dropped, [{ model: "m", reason: "refused", rows: 2 }]);
});

Deno.test("waits grow while the receiver is away; at the end the rest is sent, within the limit", async () => {
  await using lab = await Lab.open();
  const waits: number[] = [];
  let wake = () => {};
  const sender = new PredictionSender({
    outbox: lab.log.outbox(),
    receiver: {
      cursorOf: (log) => Promise.resolve(lab.receiver.cursorOf(log)),
      send: (packed) => {
        lab.before();
        return Promise.resolve(lab.receiver.take(packed));
      },
    },
    ...{ random: new SeededRandom(2), log: silentLog },
    sleep: (ms, signal) => {
      waits.push(ms);
      return new Promise((done) => {
        wake = done;
        signal.addEventListener("abort", () => done(), { once: true });
        if (waits.length < 12) done();
      });
    },
  });
  lab.before = away;
  lab.answer(0, 3);
  sender.start();
  await until("it has tried often", () => waits.length === 12);
  assertTrue(waits[0] <= 1000 && waits[3] > waits[0] && waits[11] <= 30_000, `${waits}`);
  assertTrue(waits[11] >= 15_000, `${waits}`);
  lab.before = () => {};
  wake();
  await until("it is sent", () => sender.stats.unsentRows === 0);
  lab.answer(3, 6);
  assertEquals(await sender.stop(60_000), true);
  assertEquals(lab.rows(), lab.numbers(0, 6));
});

Deno.test("an end that is limited: a receiver that hangs, and one that refuses for good", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 3);
  const never = (_: unknown, signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  const open = (receiver: ReceiverPort) =>
    new PredictionSender({
      ...{ outbox: lab.log.outbox(), receiver, random: new SeededRandom(1), log: silentLog },
    });
  assertEquals(await open({ cursorOf: never, send: never }).stop(20), false);
  let asked = 0;
  const refusing = () => {
    asked++;
    return Promise.reject(new SerinError("permission_denied", "another token"));
  };
  assertEquals(await open({ cursorOf: refusing, send: refusing }).stop(60_000), false);
  // Once when it began, and once at the end.
  assertEquals(asked, 2);
});

Deno.test("the largest batch is one that the receiver reads", async () => {
  await using lab = await Lab.open();
  lab.answer(0, 31, "\u0001".repeat(LIMITS.loggedAnswerBytesMax / 100));
  // The largest block that a recorder makes, after blocks that almost fill a batch.
  lab.answer(31, 32, "\u0001".repeat(Math.floor(LIMITS.loggedAnswerBytesMax / 3) - 100));
  lab.log.addLabels(Array.from({ length: 600 }, (_, n) => ({
    ...{ nonce: nonceOf(n), row: 0, label: "\u0001".repeat(1000) },
  })));
  lab.log.write({ now: true });
  let largest = 0;
  const receiver = lab.receiver;
  const sender = new PredictionSender({
    outbox: lab.log.outbox(),
    receiver: {
      cursorOf: (log) => Promise.resolve(receiver.cursorOf(log)),
      send: (packed) => {
        largest = Math.max(largest, packed.length);
        return Promise.resolve(receiver.take(packed));
      },
    },
    ...{ random: new SeededRandom(1), log: silentLog },
  });
  assertEquals(await sender.stop(60_000), true);
  assertTrue(largest > 3 * MEBIBYTE, `${largest} bytes`);
  assertTrue(largest < LIMITS.predictionBatchBytesMax / 2, `${largest} bytes`);
});
