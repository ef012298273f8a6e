import { setImmediate } from "node:timers";
import { SerinError } from "../core/mod.ts";

/** How long pieces of work may follow each other before the isolate's other events get their turn. */
const TURN_MS_MAX = 5;

let last: Promise<unknown> = Promise.resolve();
let waiting = 0;
let turnedAt = 0;
let lost = false;

/**
 * Runs one piece of work with the engine at a time, in the order of the calls. onnxruntime-web keeps
 * a run's arguments on its Wasm's stack across `await`s: two runs at once free each other's and
 * corrupt its memory (seen as "memory access out of bounds" under load). Its Wasm computes on this
 * isolate's thread anyway, so taking turns costs nothing.
 *
 * A run awaits nothing outside the isolate, so a queue of them would keep the event loop from turning:
 * answers that are ready would wait for the last one, and pings for so long that the isolate is taken
 * for dead. So the loop turns in between.
 *
 * @returns what the work returns; a failure does not keep the next from its turn
 * @throws {SerinError} `unavailable` after {@linkcode loseEngine}: the work does not begin
 */
export function engineTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting++ === 0) turnedAt = performance.now();
  const turn = last.then(async () => {
    try {
      if (performance.now() - turnedAt > TURN_MS_MAX) {
        await nextEvents();
        turnedAt = performance.now();
      }
      if (lost) throw engineLost();
      return await work();
    } finally {
      waiting--;
    }
  });
  last = turn.catch(() => {});
  return turn;
}

/**
 * The engine has crashed: its memory cannot be trusted. What still waits for its turn would fail, or
 * be answered wrongly, through no fault of its own.
 */
export function loseEngine(): void {
  lost = true;
}

function engineLost(): SerinError {
  return new SerinError("unavailable", "The inference engine has crashed and is being replaced", {
    hint: "retry after a moment",
  });
}

/** Resolves when everything that has arrived meanwhile was seen. A timer would wait a millisecond. */
function nextEvents(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
