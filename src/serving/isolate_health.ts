import { LIMITS } from "../core/mod.ts";

/** What is known of a data isolate's life. */
export interface IsolateHealth {
  /** It shares the data port. */
  readonly listening: boolean;
  /** Loads a model, which holds it up: it cannot answer pings. */
  readonly isLoading: boolean;
  /** When it last answered, or started; milliseconds on the same clock as `now`. */
  readonly answeredAt: number;
}

/**
 * How long an isolate may leave pings without an answer before it is taken for hung and replaced.
 *
 * @returns milliseconds
 */
export function silenceMsMax({ listening, isLoading }: IsolateHealth): number {
  return isLoading || !listening ? LIMITS.isolateLoadMsMax : LIMITS.isolateHangMsMax;
}

/**
 * Whether the data port answers: at least one isolate listens, and each that does answered within
 * LIMITS.isolateAnswerMsMax or is held up by a model that it loads. Else a canary that takes long to
 * load would make every replica not ready at the same time, and with them the whole service. One that
 * is being replaced does not listen, and takes no connection from the others.
 */
export function portAnswers(isolates: readonly IsolateHealth[], now: number): boolean {
  const listening = isolates.filter((isolate) => isolate.listening);
  return listening.length > 0 && listening.every((isolate) => {
    const silentMs = now - isolate.answeredAt;
    return silentMs <= (isolate.isLoading ? silenceMsMax(isolate) : LIMITS.isolateAnswerMsMax);
  });
}
