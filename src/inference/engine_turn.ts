let last: Promise<unknown> = Promise.resolve();

/**
 * Runs one piece of work with the engine at a time, in the order of the calls. onnxruntime-web keeps
 * a run's arguments on its Wasm's stack across `await`s: two runs at once free each other's and
 * corrupt its memory (seen as "memory access out of bounds" under load). Its Wasm computes on this
 * isolate's thread anyway, so taking turns costs nothing.
 *
 * @returns what the work returns; a failure does not keep the next from its turn
 */
export function engineTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => {});
  return turn;
}
