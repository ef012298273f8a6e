/** Bits of {@linkcode RequestBatch.outcomes}: both potential outcomes of a request. */
export const OUTCOME = {
  errorStable: 1,
  errorCanary: 2,
  wrongStable: 4,
  wrongCanary: 8,
  labelled: 16,
} as const;

/** The requests of one second. The arrays are used again for the next second. */
export interface RequestBatch {
  count: number;
  /** Uniform 32-bit draws: the canary serves request i iff assignments[i] < floor(share * 2^32). */
  assignments: Uint32Array;
  /** Bits of {@linkcode OUTCOME}. */
  outcomes: Uint8Array;
  /** Latencies in microseconds under either version. */
  latencyStable: Float64Array;
  latencyCanary: Float64Array;
  /** The second in which the label arrives, where there is one. */
  labelTimes: Int32Array;
}

/** Requests by second; seconds before 0 are warm-up, which the stable version serves alone. */
export interface RequestStream {
  /** The first second, at most 0. */
  readonly firstSecond: number;
  /** Whether labels arrive for some requests. */
  readonly labels: boolean;
  /** @param time consecutive seconds from `firstSecond` on, each once */
  second(time: number): RequestBatch;
}

/** @returns a batch with room for `capacity` requests */
export function newBatch(capacity: number): RequestBatch {
  return {
    count: 0,
    assignments: new Uint32Array(capacity),
    outcomes: new Uint8Array(capacity),
    latencyStable: new Float64Array(capacity),
    latencyCanary: new Float64Array(capacity),
    labelTimes: new Int32Array(capacity),
  };
}
