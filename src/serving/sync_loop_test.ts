import { type Log, SeededRandom, SerinError, silentLog, systemClock } from "../core/mod.ts";
import type { SyncAnswer, SyncPeer, SyncRequest } from "../rollout/sync.ts";
import { assertEquals, assertIncludes, assertTrue, FakePeer, until } from "../testing/mod.ts";
import { SyncLoop } from "./sync_loop.ts";

const COUNTS: SyncRequest["counts"] = [
  { rollout: "r", step: 0, arm: "stable", totals: { requests: 7 } },
];

function openLoop(peer: SyncPeer, options: { counts?: SyncRequest["counts"]; log?: Log } = {}) {
  const { counts = COUNTS, log = silentLog } = options;
  const applied: SyncAnswer[] = [];
  const loop = new SyncLoop({
    peer,
    replica: "r-1",
    clock: systemClock,
    random: new SeededRandom(1),
    log,
    report: () => ({ models: [], counts }),
    apply: (answer) => applied.push(answer),
    onUnanswered: () => {},
  });
  return { loop, applied };
}

Deno.test("the last sync carries the last counts, and says that the replica leaves", async () => {
  const peer = new FakePeer();
  const { loop } = openLoop(peer);
  await loop.start();
  assertEquals(peer.requests.map(({ leaving }) => leaving), [undefined]);
  await loop.stop(1000);
  const last = peer.requests.at(-1)!;
  assertEquals([last.leaving, last.counts], [true, COUNTS]);
  const sent = peer.requests.length;
  loop.soon();
  assertEquals(peer.requests.length, sent);
});

Deno.test("a registry that is away when a replica ends gets its counts as soon as it is back", async () => {
  const peer = new FakePeer(), counts: SyncRequest["counts"] = [];
  const { loop } = openLoop(peer, { counts });
  await loop.start();
  peer.reachable = false;
  counts.push(...COUNTS);
  const stopped = loop.stop(20_000);
  const tried = peer.attempts;
  await until("it was tried in vain", () => peer.attempts > tried);
  peer.reachable = true;
  await stopped;
  assertEquals(peer.requests.at(-1)!.counts, COUNTS);
});

Deno.test("an end is bounded in time: a registry that is silent, one that never answered", async () => {
  const silent = new FakePeer();
  const lines: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void lines.push(line) };
  const { loop } = openLoop(silent, { log });
  await loop.start();
  silent.sync = () => new Promise(() => {});
  await loop.stop(50);
  assertEquals(lines, ["the registry did not hear that this replica ends"]);

  // What it has counted is there already: nothing is lost, and nothing waited for.
  const away = new FakePeer(), hints: unknown[] = [];
  const told = {
    ...silentLog,
    warn: (_: string, fields?: { hint?: unknown }) => void hints.push(fields?.hint),
  };
  const counted = openLoop(away, { log: told }).loop;
  await counted.start();
  away.reachable = false;
  await counted.stop(3_600_000);
  assertEquals(hints, [undefined]);

  const never = openLoop(silent).loop;
  void never.start();
  await never.stop(3_600_000);
});

Deno.test("a registry that does not know the last sync's word takes its counts all the same", async () => {
  const old = new FakePeer(), heard: SyncRequest[] = [];
  const { sync } = old;
  old.sync = (request) => {
    if (request.leaving !== undefined) {
      return Promise.reject(new SerinError("conflict", "Unrecognized key: leaving"));
    }
    heard.push(request);
    return sync.call(old, request);
  };
  const { loop } = openLoop(old);
  await loop.start();
  await loop.stop(1000);
  assertEquals(heard.length, 2);
  assertEquals(heard[1].counts, COUNTS);
});

Deno.test("bad events hurry a sync along, but knock no more often at a registry that is out of reach", async () => {
  const peer = new FakePeer(), sync = peer.sync.bind(peer);
  peer.sync = async (request) => ({ ...await sync(request), intervalMs: 3_600_000 });
  const { loop } = openLoop(peer);
  await loop.start();
  loop.soon();
  await until("it syncs at once", () => peer.attempts === 2);
  peer.reachable = false;
  loop.soon();
  await until("it is missed", () => !loop.reachable);
  // Three times the least time between two syncs; the first wait of an outage is 250 to 500 ms.
  const { attempts } = peer, until150 = performance.now() + 150;
  while (performance.now() < until150) {
    loop.soon();
    await new Promise((done) => setTimeout(done, 5));
  }
  assertTrue(peer.attempts <= attempts + 1, `${peer.attempts - attempts} attempts in 150 ms`);
  peer.reachable = true;
  await until("it is tried again all the same", () => loop.reachable);
  await loop.stop(1000);
});

Deno.test("an outage is told once, with its reason, and ends with a line", async () => {
  const peer = new FakePeer(), lines: string[] = [];
  peer.reachable = false;
  const log: Log = {
    ...silentLog,
    warn: (line, fields) => void lines.push(`${line}: ${fields?.error}`),
    info: (line) => void lines.push(line),
  };
  const { loop, applied } = openLoop(peer, { log });
  await loop.start();
  assertEquals([loop.reachable, loop.ageSeconds], [false, undefined]);
  assertIncludes(loop.problem!, "does not answer");
  await until("other attempts", () => peer.attempts > 2);
  peer.reachable = true;
  await until("it is reached", () => loop.reachable);
  assertEquals(lines, [
    "the registry is out of reach and has not answered yet: The registry does not answer",
    "the registry answers again",
  ]);
  assertEquals([loop.problem, applied.length > 0], [undefined, true]);
  await loop.stop(1000);
});
