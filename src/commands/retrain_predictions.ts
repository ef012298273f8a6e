import type { AccessTokens } from "../api/access/mod.ts";
import { predictionRoutes, type RetrainRole } from "../api/retrain/mod.ts";
import { type Lifecycle, type Log, systemClock } from "../core/mod.ts";
import { addPredictionReceiverMetrics, PredictionReceiver } from "../monitor/prediction_log/mod.ts";
import type { Metrics } from "../telemetry/mod.ts";
import { parseByteSize } from "./byte_size.ts";

/** Where the prediction logs of replicas go. */
export interface PredictionsOptions {
  readonly predictionLog?: string | undefined;
  readonly predictionLogBytes: string;
}

/**
 * Opens what takes the prediction logs of replicas, where a folder is given for it.
 *
 * @returns its routes: without a folder they say that nothing is taken
 */
export async function openPredictions(
  { predictionLog: folder, predictionLogBytes }: PredictionsOptions,
  { tokens, metrics, lifecycle, log }: {
    tokens: AccessTokens<RetrainRole> | undefined;
    metrics: Metrics;
    lifecycle: Lifecycle;
    log: Log;
  },
): Promise<ReturnType<typeof predictionRoutes>> {
  if (folder === undefined) {
    return predictionRoutes({ predictions: undefined, tokens, onBatch: () => {}, log });
  }
  const bytesMax = parseByteSize(predictionLogBytes);
  const receiver = await PredictionReceiver.open({ folder, bytesMax, clock: systemClock });
  lifecycle.onStop("prediction log", () => receiver.close());
  const received = new Map<string, number>([["taken", 0]]);
  addPredictionReceiverMetrics(metrics, { stats: () => receiver.stats, received });
  const onBatch = (outcome: string) => received.set(outcome, (received.get(outcome) ?? 0) + 1);
  return predictionRoutes({ predictions: receiver, tokens, onBatch, log });
}
