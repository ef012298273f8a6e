import { SerinError } from "../../core/mod.ts";
import { metricMessages as messages } from "../../mlflow/mod.ts";
import { type Route, route } from "./route.ts";
import { toWireMetric, unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/metrics";
const RUNS_MAX = 100;
const DOCS = " See the API docs for more information about request parameters.";
const SAMPLE_POINTS_MAX = 2500;

/** Routes of metrics. */
export const METRIC_ROUTES: readonly Route[] = [
  route("GET", `${AT}/get-history`, messages.history, (request, { tracking }) => {
    const { run_id, metric_key, max_results, page_token } = request;
    const page = tracking.metrics.history(run_id, metric_key, max_results, page_token);
    return {
      metrics: unlessEmpty(page.items.map(toWireMetric)),
      next_page_token: page.nextPageToken,
    };
  }),
  route("GET", `${AT}/get-history-bulk`, messages.historyBulk, (request, { tracking }) => {
    const runIds = request.run_id ?? [];
    const name = "GetMetricHistoryBulk request";
    if (runIds.length === 0) throw invalid(`${name} must specify at least one run_id.`);
    if (runIds.length > RUNS_MAX) {
      throw invalid(
        `${name} cannot specify more than ${RUNS_MAX} run_ids. Received ${runIds.length} run_ids.`,
      );
    }
    if (request.metric_key === undefined) throw invalid(`${name} must specify a metric_key.`);
    const points = tracking.metrics.historyOfRuns(runIds, request.metric_key, request.max_results);
    return { metrics: points.map(toWireMetric) };
  }),
  route("GET", `${AT}/get-history-bulk-interval`, messages.sample, (request, { tracking }) => {
    const { run_ids: runIds, metric_key: key, max_results: limit = SAMPLE_POINTS_MAX } = request;
    if (runIds.length > RUNS_MAX) {
      throw invalid(
        `GetMetricHistoryBulkInterval request must specify at most ${RUNS_MAX} run_ids. ` +
          `Received ${runIds.length} run_ids.${DOCS}`,
      );
    }
    if (limit < 1 || limit > SAMPLE_POINTS_MAX) {
      throw invalid(`max_results must be between 1 and ${SAMPLE_POINTS_MAX}.${DOCS}`);
    }
    const steps = stepsOf(request.start_step, request.end_step);
    const points = tracking.metrics.sample(runIds, key, limit, steps);
    return { metrics: unlessEmpty(points.map(toWireMetric)) };
  }),
];

function stepsOf(first?: number, last?: number): [number, number] | undefined {
  if (first === undefined && last === undefined) return undefined;
  if (first === undefined || last === undefined) {
    throw invalid("If either start step or end step are specified, both must be specified.");
  }
  if (first <= last) return [first, last];
  throw invalid(
    "end_step must be greater than start_step. " +
      `Found start_step=${first} and end_step=${last}.`,
  );
}

function invalid(message: string): SerinError {
  return new SerinError("invalid_input", message);
}
