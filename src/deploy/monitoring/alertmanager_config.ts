/** Where Alertmanager sends what. */
export interface Receivers {
  /** Webhook for what wakes somebody up. */
  readonly pageUrl: string;
  readonly ticketUrl: string;
  /** What retrains. */
  readonly retrainUrl: string;
  /** File of Alertmanager's that holds the token of the latter; undefined where it wants none. */
  readonly retrainTokenFile?: string | undefined;
}

/** One inhibition: while `source` fires, `targets` with the same `equal` labels are not sent. */
interface Inhibition {
  readonly source: string;
  readonly targets: readonly string[];
  readonly equal: readonly string[];
}

const INHIBITIONS: readonly Inhibition[] = [
  {
    source: "SerinRegistryDown",
    targets: [
      "SerinRegistryUnreachable",
      "SerinControllerNotReconciling",
      "SerinLabelsMissing",
      "SerinLabelDelay",
      "SerinLabelsRefused",
      "SerinRetrainingFailing",
      "SerinRolloutStuck",
      "SerinVersionUnservable",
    ],
    equal: ["namespace"],
  },
  {
    source: "SerinServingDown",
    targets: [
      "SerinNoTraffic",
      "SerinQueueSaturated",
      "SerinIsolateRestarts",
      "SerinRegistryUnreachable",
      "SerinErrorBudgetBurnFast",
      "SerinErrorBudgetBurnSlow",
      "SerinLatencyBudgetBurnFast",
      "SerinLatencyBudgetBurnSlow",
      "SerinRolloutStuck",
      "SerinPredictionLogUnsent",
    ],
    equal: ["namespace"],
  },
  {
    // Who cannot ask the registry answers labels with 503.
    source: "SerinRegistryUnreachable",
    targets: ["SerinLabelsRefused"],
    equal: ["namespace"],
  },
  {
    source: "SerinErrorBudgetBurnFast",
    targets: ["SerinErrorBudgetBurnSlow"],
    equal: ["namespace", "model"],
  },
  {
    source: "SerinLatencyBudgetBurnFast",
    targets: ["SerinLatencyBudgetBurnSlow"],
    equal: ["namespace", "model"],
  },
  {
    source: "SerinQueueSaturated",
    targets: ["SerinLatencyBudgetBurnFast", "SerinLatencyBudgetBurnSlow"],
    equal: ["namespace"],
  },
  { source: "SerinNoTraffic", targets: ["SerinLabelsMissing"], equal: ["namespace", "model"] },
  {
    source: "SerinModelBroken",
    targets: ["SerinModelDegraded"],
    equal: ["namespace", "model", "model_version"],
  },
  {
    // A column that is empty or out of range is also distributed otherwise.
    source: "SerinInputNulls|SerinInputUnseen",
    targets: ["SerinInputDrift"],
    equal: ["namespace", "model", "model_version", "column"],
  },
  {
    source: "SerinInputDrift|SerinInputNulls|SerinInputUnseen",
    targets: ["SerinPredictionDrift"],
    equal: ["namespace", "model", "model_version"],
  },
  { source: "SerinRolloutStuck", targets: ["SerinRolloutHeld"], equal: ["namespace", "model"] },
];

/** Lengths of time of the routes. */
export interface RouteTimes {
  readonly pageWait: string;
  readonly ticketWait: string;
  readonly retrainWait: string;
}

/** Of every installation. */
export const ROUTE_TIMES: RouteTimes = { pageWait: "10s", ticketWait: "5m", retrainWait: "1m" };

/**
 * Alertmanager's configuration: by severity, one message for all that one model has; what may be cured
 * by training goes to what retrains as well.
 */
export function alertmanagerConfig(receivers: Receivers, times: RouteTimes = ROUTE_TIMES): unknown {
  const webhook = (name: string, url: string, tokenFile?: string) => ({
    name,
    webhook_configs: [{
      url,
      send_resolved: true,
      ...(tokenFile === undefined
        ? {}
        : { http_config: { authorization: { credentials_file: tokenFile } } }),
    }],
  });
  return {
    route: {
      receiver: "ticket",
      group_by: ["namespace", "model"],
      group_wait: times.ticketWait,
      group_interval: times.ticketWait,
      repeat_interval: "24h",
      routes: [
        {
          receiver: "retrain",
          matchers: ['serin_retrain="true"'],
          group_by: ["namespace", "model"],
          group_wait: times.retrainWait,
          group_interval: times.retrainWait,
          repeat_interval: "4h",
          continue: true,
        },
        {
          receiver: "page",
          matchers: ['severity="page"'],
          group_wait: times.pageWait,
          group_interval: times.pageWait,
          repeat_interval: "1h",
        },
        { receiver: "ticket", matchers: ['severity="ticket"'] },
      ],
    },
    receivers: [
      webhook("page", receivers.pageUrl),
      webhook("ticket", receivers.ticketUrl),
      webhook("retrain", receivers.retrainUrl, receivers.retrainTokenFile),
    ],
    inhibit_rules: INHIBITIONS.map(({ source, targets, equal }) => ({
      source_matchers: [`alertname=~"${source}"`],
      target_matchers: [`alertname=~"${targets.join("|")}"`],
      equal,
    })),
  };
}
