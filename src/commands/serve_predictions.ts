import {
  type Lifecycle,
  type Log,
  SerinError,
  serverUrl,
  systemClock,
  SystemRandom,
} from "../core/mod.ts";
import {
  addPredictionLogMetrics,
  addPredictionSenderMetrics,
  PredictionLog,
  PredictionSender,
  RemoteReceiver,
} from "../monitor/prediction_log/mod.ts";
import type { Metrics } from "../telemetry/mod.ts";
import { parseByteSize } from "./byte_size.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

/** How long the last rows may be sent, where requests have used the grace up. */
const LAST_SEND_MS_MIN = 2000;
/** The most that they may take of a grace that nothing else uses. */
const LAST_SEND_MS_MAX = 5000;

/** What `serin serve` says about its prediction log. */
export interface ServePredictionOptions {
  readonly shutdownDelaySeconds: number;
  readonly graceSeconds: number;
  readonly predictionLog?: string | undefined;
  readonly predictionLogRate: number;
  readonly predictionLogBytes: string;
  readonly predictionLogTo?: string | undefined;
  readonly predictionLogTokenFile?: string | undefined;
  readonly predictionLogToken?: string | undefined;
}

interface Surroundings {
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

/**
 * Opens the log of a serving process, where it has one, and sends it, where it is to be sent.
 *
 * @throws {SerinError} `usage` for a log that is to be sent and is none, `configuration`, `storage`,
 *   `conflict`
 */
export async function openServePredictions(
  options: ServePredictionOptions,
  { metrics, lifecycle, log }: Surroundings,
): Promise<PredictionLog | undefined> {
  const receiver = await openReceiver(options);
  const { predictionLog: folder, predictionLogRate: rate, predictionLogBytes } = options;
  if (folder === undefined) return undefined;
  const bytesMax = parseByteSize(predictionLogBytes);
  const predictions = await PredictionLog.open({
    ...{ folder, rate, bytesMax, log, clock: systemClock },
  });
  addPredictionLogMetrics(metrics, () => predictions.stats);
  lifecycle.onStop("prediction log", () => predictions.close());
  if (receiver === undefined) return predictions;
  const outbox = predictions.outbox();
  const sender = new PredictionSender({ outbox, receiver, random: new SystemRandom(), log });
  addPredictionSenderMetrics(metrics, () => sender.stats);
  const leftMs = graceLeft(options, lifecycle);
  lifecycle.onStop("prediction sender", async (signal) => {
    predictions.write({ now: true });
    const delayMs = signal === "SIGTERM" ? options.shutdownDelaySeconds * 1000 : 0;
    await sender.stop(
      Math.max(LAST_SEND_MS_MIN, Math.min(LAST_SEND_MS_MAX, leftMs() + delayMs)),
    );
  });
  sender.start();
  return predictions;
}

/** @returns how much is left of the grace since the end has begun, milliseconds */
function graceLeft({ graceSeconds }: ServePredictionOptions, lifecycle: Lifecycle): () => number {
  let begun = Infinity;
  lifecycle.signal.addEventListener("abort", () => begun = systemClock.monotonic(), { once: true });
  return () => begun + graceSeconds * 1000 - systemClock.monotonic();
}

async function openReceiver(options: ServePredictionOptions): Promise<RemoteReceiver | undefined> {
  const { predictionLog, predictionLogTo, predictionLogTokenFile: path } = options;
  if (predictionLogTo === undefined) {
    if (path === undefined) return undefined;
    throw new SerinError("usage", "--prediction-log-token-file is the token of nothing", {
      hint: "say where the prediction log is sent with --prediction-log-to URL",
    });
  }
  if (predictionLog === undefined) {
    throw new SerinError("usage", "--prediction-log-to has no prediction log to send", {
      hint: "give --prediction-log DIR too: what is sent waits there while the receiver is away",
    });
  }
  const token = path !== undefined
    ? await readTokenFile(path, "--prediction-log-token-file")
    : options.predictionLogToken === undefined
    ? undefined
    : checkToken("SERIN_PREDICTION_LOG_TOKEN", options.predictionLogToken);
  const baseUrl = serverUrl(predictionLogTo, {
    server: "receiver of prediction logs",
    tokenHint: "give the token with --prediction-log-token-file or SERIN_PREDICTION_LOG_TOKEN",
  });
  return new RemoteReceiver({ baseUrl, fetch: globalThis.fetch, token });
}
