import { BY, promql, type RuleOptions } from "../rule_options.ts";
import type { Alert, AlertGroup } from "../rule_shape.ts";
import { counter, endsAfter, gauge } from "../sample_values.ts";

/** Looks of the controller that fail, of all. */
const FAILED_LOOKS_MAX = 0.5;
/** Trainings that fail within a day before somebody is told. */
const FAILED_TRAININGS_MIN = 2;
/** Rows that the prediction log drops, of those that it is given. */
const DROPPED_MAX = 0.01;

const CONTROLLER = 'job="controller",instance="c:8082"';

/** What stands behind serving: registry, controller, retraining, prediction log. */
export function operationGroup(options: RuleOptions): AlertGroup {
  return {
    name: "serin-operation",
    recordings: [],
    alerts: [
      registryDown(options),
      controllerNotReconciling(),
      retrainingFailing(),
      predictionLogDropping(),
      predictionLogUnsent(),
    ],
  };
}

function registryDown({ times }: RuleOptions): Alert {
  const built = 'serin_build_info{component="registry"}';
  const series = 'serin_build_info{job="registry",instance="r:5000",component="registry"}';
  return {
    name: "SerinRegistryDown",
    severity: "page",
    expr: promql(
      `count by (${BY.process}) (last_over_time(${built}[6h]))`,
      `unless count by (${BY.process}) (${built})`,
    ),
    for: times.downFor,
    summary: "The registry {{ $labels.job }} does not answer: replicas serve what they have, but " +
      "a new replica cannot load a model, and rollouts and labels stand still",
    action: "Look at the pod's state, its log and its volume (full? read-only?); it starts again " +
      "on the same volume without loss.",
    fires: [{
      name: "when it ends",
      series: [{ series, values: endsAfter(gauge(1, 20)) }],
      at: "40m",
      labels: { job: "registry" },
    }],
    quiet: [{
      name: "when it is back after three minutes",
      series: [{ series, values: `${gauge(1, 20)} stale _x2 ${gauge(1, 60)}` }],
      at: "40m",
    }, {
      name: "when it was taken away yesterday",
      series: [{ series, values: endsAfter(gauge(1, 20)) }],
      at: "420m",
    }],
  };
}

function controllerNotReconciling(): Alert {
  const looks = (range: string) =>
    `sum by (${BY.process}, part) (rate(serin_controller_reconcile${range}`;
  const counts = (name: string, rate: number) => ({
    series: `serin_controller_reconcile${name}{${CONTROLLER},part="rollouts"}`,
    values: counter([{ rate, minutes: 120 }]),
  });
  return {
    name: "SerinControllerNotReconciling",
    severity: "ticket",
    // No process that leads, or one whose looks stand still or mostly fail.
    expr: promql(
      `max by (${BY.process}) (last_over_time(serin_controller_leader[6h])) >= 0`,
      `unless max by (${BY.process}) (serin_controller_leader) == 1`,
      "or",
      `${looks("_total[15m]))")} == 0`,
      "or",
      `${looks("_errors_total[15m]))")}`,
      `/ ${looks("_total[15m]))")} > ${FAILED_LOOKS_MAX}`,
    ),
    for: "15m",
    summary: "The controller {{ $labels.job }} does not get its work done: Kubernetes does not " +
      "follow the registry",
    action: "Read the controller's log: is the Lease held, does the registry answer, does the " +
      "API server refuse something?",
    fires: [{
      name: "when nobody leads",
      series: [{ series: `serin_controller_leader{${CONTROLLER}}`, values: gauge(0, 120) }],
      at: "60m",
      labels: { job: "controller" },
    }, {
      name: "when it is gone",
      series: [{
        series: `serin_controller_leader{${CONTROLLER}}`,
        values: endsAfter(gauge(1, 20)),
      }],
      at: "60m",
      labels: { job: "controller" },
    }, {
      name: "when most of its looks fail",
      series: [counts("_total", 10), counts("_errors_total", 6)],
      at: "60m",
      labels: { job: "controller", part: "rollouts" },
    }],
    quiet: [{
      name: "when a standby waits, and four of ten looks fail",
      series: [
        { series: `serin_controller_leader{${CONTROLLER}}`, values: gauge(1, 120) },
        {
          series: 'serin_controller_leader{job="controller",instance="d:8082"}',
          values: gauge(0, 120),
        },
        counts("_total", 10),
        counts("_errors_total", 4),
      ],
      at: "60m",
    }],
  };
}

function retrainingFailing(): Alert {
  const decisions = 'serin_retrain_decisions_total{decision="failed"}';
  const series = (decision: string) =>
    `serin_retrain_decisions_total{model="electricity",decision="${decision}"}`;
  const failures = (times: number, decision = "failed") => ({
    series: series(decision),
    values: counter([
      { rate: 0, minutes: 30 },
      { rate: 1, minutes: times },
      { rate: 0, minutes: 60 },
    ]),
  });
  return {
    name: "SerinRetrainingFailing",
    severity: "ticket",
    expr: promql(
      `sum by (${BY.model}) (`,
      `  ${decisions} - min_over_time(${decisions}[1d])`,
      `) >= ${FAILED_TRAININGS_MIN}`,
    ),
    for: "1m",
    summary: "{{ $labels.model }}: {{ $value }} trainings have failed within a day; the model " +
      "gets older",
    action: "Read why with serin retrain explain, and repair data " +
      "or spec.",
    fires: [{
      name: "after the second within a day",
      series: [failures(2)],
      at: "60m",
      labels: { model: "electricity" },
      value: "2",
    }],
    quiet: [{
      name: "after the first, and after refusals of the gate",
      series: [failures(1), failures(5, "refused")],
      at: "60m",
    }],
  };
}

function predictionLogDropping(): Alert {
  const labels = 'model="electricity"';
  const dropped = (rate: number) => ({
    series: `serin_prediction_log_dropped_total{${labels},reason="full"}`,
    values: counter([{ rate, minutes: 120 }]),
  });
  const kept = {
    series: `serin_prediction_log_rows_total{${labels}}`,
    values: counter([{ rate: 1000, minutes: 120 }]),
  };
  const rate = (name: string) => `sum by (${BY.model}) (rate(serin_prediction_log_${name}[15m]))`;
  return {
    name: "SerinPredictionLogDropping",
    severity: "ticket",
    expr: promql(
      `${rate("dropped_total")}`,
      `/ (${rate("rows_total")} + ${rate("dropped_total")}) > ${DROPPED_MAX}`,
    ),
    for: "15m",
    summary: "{{ $labels.model }}: the prediction log loses {{ $value | humanizePercentage }} of " +
      "its rows; training on it misses them",
    action:
      "Look at the reason: a full or slow disk of the replicas' log wants a larger or faster " +
      "one, or a smaller sample; unsent, a serin retrain serve that takes the log.",
    fires: [{
      name: "at 1.5 % of the rows",
      series: [kept, dropped(15)],
      at: "60m",
      labels: { model: "electricity" },
      value: "1.478%",
    }],
    quiet: [{
      name: "at 0.8 %",
      series: [kept, dropped(8)],
      at: "60m",
    }],
  };
}

function predictionLogUnsent(): Alert {
  const replica = (name: string, values: string, pod = "a") => ({
    series: `serin_prediction_log_${name}{job="serving",instance="${pod}:8081"}`,
    values,
  });
  const away = (minutes: number) =>
    replica(
      "receiver_reachable",
      `${gauge(1, 9)} ${gauge(0, minutes - 1)} ${gauge(1, 120)}`,
    );
  return {
    name: "SerinPredictionLogUnsent",
    severity: "ticket",
    // The value is what waits in them; it may be 0, where nobody asks.
    expr: promql(
      `sum by (${BY.process}) (`,
      "  serin_prediction_log_unsent_rows and serin_prediction_log_receiver_reachable == 0",
      ")",
    ),
    for: "30m",
    summary: "Replicas of {{ $labels.job }} cannot send their prediction log: {{ $value | " +
      "humanize }} rows wait in their rings, and the oldest are lost when these are full",
    action: "Read in a replica's log why it is not sent, and bring serin retrain serve back, " +
      "repair its token or give its folder room; replicas then go on where they were.",
    fires: [{
      name: "when one of two replicas has not been heard for 40 minutes",
      series: [
        away(40),
        replica("unsent_rows", counter([{ rate: 100, minutes: 120 }])),
        replica("receiver_reachable", gauge(1, 120), "b"),
        replica("unsent_rows", gauge(7, 120), "b"),
      ],
      at: "45m",
      labels: { job: "serving" },
      value: "4.5k",
    }, {
      name: "when nobody asks, either",
      series: [
        replica("receiver_reachable", gauge(0, 120)),
        replica("unsent_rows", gauge(0, 120)),
      ],
      at: "45m",
      labels: { job: "serving" },
      value: "0",
    }],
    quiet: [{
      name: "after 20 minutes",
      series: [away(25), replica("unsent_rows", counter([{ rate: 100, minutes: 120 }]))],
      at: "30m",
    }, {
      name: "when many rows wait and are being sent",
      series: [
        replica("receiver_reachable", gauge(1, 120)),
        replica("unsent_rows", gauge(90_000, 120)),
      ],
      at: "45m",
    }],
  };
}
