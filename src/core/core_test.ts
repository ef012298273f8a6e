import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { Lifecycle } from "./lifecycle.ts";
import { openLog } from "./log.ts";
import { SeededRandom, SystemRandom } from "./random.ts";
import { ERROR_CODES, SerinError } from "./serin_error.ts";
import { formatBytes, formatDuration } from "./units.ts";

Deno.test("an atomic write replaces the whole file and leaves nothing beside it", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a file`;
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, new TextEncoder().encode("two"));
  assertEquals(await Deno.readTextFile(path), "two");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a file"]);
  await assertSerinError(
    () => writeFileAtomic(`${folder}/none/x`, ""),
    "storage",
    "does not exist",
  );
  await assertSerinError(() => writeFileAtomic(`${path}/x`, ""), "storage", path);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("closers run once, last first, and one that fails stops none", async () => {
  const lifecycle = new Lifecycle(), closed: string[] = [];
  lifecycle.onStop("a", () => void closed.push("a"));
  lifecycle.onStop("b", () => Promise.reject(new Error("b")));
  lifecycle.onStop("c", () => void closed.push("c"));
  const results = await Promise.allSettled([lifecycle.stop(), lifecycle.stop()]);
  assertEquals(results.map(({ status }) => status), ["rejected", "rejected"]);
  await lifecycle.stopped;
  assertEquals(closed, ["c", "a"]);
});

Deno.test("what is opened while the end is under way is closed too, and hears the signal", async () => {
  const lifecycle = new Lifecycle(), closed: string[] = [];
  const opening = Promise.withResolvers<void>();
  lifecycle.onStop("first", (signal) => void closed.push(`first ${signal}`));
  lifecycle.onStop("opening", () => opening.promise);
  const stopped = lifecycle.stop("SIGTERM");
  assertTrue(lifecycle.signal.aborted, "what is being opened is told");
  lifecycle.onStop("late", (signal) => void closed.push(`late ${signal}`));
  opening.resolve();
  await stopped;
  assertEquals(closed, ["late SIGTERM", "first SIGTERM"]);
});

Deno.test("a seed gives the same numbers everywhere; uniform enough to be coins", () => {
  const random = new SeededRandom(7);
  const first = [random.uint32(), random.uint32(), random.uint32()];
  // Computed by another program, in Python.
  assertEquals(first, [3838393609, 3673857637, 801465066]);
  for (const source of [new SeededRandom(1), new SystemRandom()]) {
    let heads = 0;
    for (let i = 0; i < 100_000; i++) if (source.uint32() < 2 ** 32 * 0.05) heads++;
    // 5 % of 100,000, within eight standard deviations.
    assertTrue(Math.abs(heads - 5000) < 560, `${heads} of 100,000`);
  }
});

Deno.test("an error tells exit code, status and whether to retry by its code alone", () => {
  for (const [code, { exit, status, retriable }] of Object.entries(ERROR_CODES)) {
    const error = new SerinError(code as keyof typeof ERROR_CODES, "x");
    assertEquals([error.exit, error.status, error.retriable], [exit, status, retriable]);
  }
});

Deno.test("a log drops what is below its level and writes text or JSON", () => {
  const lines: string[] = [];
  openLog({ level: "warn", write: (line) => lines.push(line) }).info("no");
  openLog({ write: (line) => lines.push(line) }).warn("took long", { path: "a b", ms: 3 });
  openLog({ format: "json", write: (line) => lines.push(line) }).error("bad", { code: "x" });
  assertEquals(lines.length, 2);
  assertTrue(lines[0].endsWith('warn took long path="a b" ms=3'), lines[0]);
  const { time: _, ...rest } = JSON.parse(lines[1]);
  assertEquals(rest, { level: "error", message: "bad", code: "x" });
});

Deno.test("durations and sizes for people", () => {
  assertEquals([850, 12_340, 245_000, 7_260_000].map(formatDuration), [
    ...["850 ms", "12.3 s", "4 min 5 s", "2 h 1 min"],
  ]);
  assertEquals([512, 1400, 2.5e6, 3e9].map(formatBytes), ["512 B", "1.4 kB", "2.5 MB", "3.0 GB"]);
});
