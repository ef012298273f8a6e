import type { ErrorCode } from "../core/mod.ts";
import type { RecordedPredictions } from "../monitor/prediction_log/mod.ts";
import type { Route } from "../rollout/router/mod.ts";
import type { StatsSnapshot } from "../telemetry/inference_stats.ts";
import type { ProfiledFile } from "./version_profile.ts";

/** Keys that seal prediction tokens; the first seals. */
export type TokenKeys = readonly { readonly id: string; readonly key: string }[];

/** An error as it crosses between isolates. */
export interface PostedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** What the main isolate says to a data isolate. */
export type ToIsolate =
  | {
    readonly type: "start";
    readonly hostname: string;
    /** 0 for any; the first isolate then tells which. */
    readonly port: number;
    readonly ortWasm: ArrayBuffer;
    readonly counts: SharedArrayBuffer;
    readonly inflight: SharedArrayBuffer;
    /** What it holds and how it splits before its first request. */
    readonly files: readonly ProfiledFile[];
    /** Share of the requests that the prediction log takes; undefined: there is none. */
    readonly predictionLogRate: number | undefined;
    /** Length of a part of the window in which drift is counted. */
    readonly driftPartMs: number;
    readonly routes: readonly (readonly [model: string, route: Route])[];
    readonly keys: TokenKeys;
    readonly ready: boolean;
    readonly closing: boolean;
  }
  | { readonly type: "load"; readonly id: number; readonly file: ProfiledFile }
  | { readonly type: "unload"; readonly model: string; readonly version: string }
  | { readonly type: "route"; readonly model: string; readonly route: Route }
  | { readonly type: "keys"; readonly keys: TokenKeys }
  | { readonly type: "ready"; readonly ready: boolean }
  /** Each answer closes its connection from now on. */
  | { readonly type: "closing" }
  | { readonly type: "ping"; readonly id: number }
  /** So many bytes of predictions do not wait any more. */
  | { readonly type: "predictions_taken"; readonly bytes: number }
  | {
    readonly type: "labelled";
    readonly id: number;
    readonly answer?: unknown;
    readonly error?: PostedError;
  }
  | { readonly type: "drain" };

/** What a data isolate says to the main isolate. */
export type FromIsolate =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "failed"; readonly error: PostedError }
  /** Loaded, not yet warmed: from here on it must answer pings. */
  | { readonly type: "opened"; readonly id: number }
  /** Where it counts what the version is asked and answers. */
  | {
    readonly type: "sketch";
    readonly model: string;
    readonly version: string;
    readonly buffer: SharedArrayBuffer;
  }
  | { readonly type: "loaded"; readonly id: number; readonly error?: PostedError }
  | {
    readonly type: "pong";
    readonly id: number;
    readonly stats: StatsSnapshot;
  }
  | { readonly type: "predictions"; readonly recorded: RecordedPredictions }
  | { readonly type: "bad_event" }
  | { readonly type: "crashed"; readonly why: string }
  | { readonly type: "labels"; readonly id: number; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly type: "drained" };
