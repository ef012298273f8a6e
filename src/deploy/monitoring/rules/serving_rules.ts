import { BY, promql, type RuleOptions } from "../rule_options.ts";
import type { Alert, AlertGroup } from "../rule_shape.ts";
import { counter, endsAfter, gauge } from "../sample_values.ts";

/** Refused requests, of all, above which callers notice. */
const REFUSED_MAX = 0.01;
/** Half of what one data isolate holds before it answers 429 (`LIMITS.inferenceInflightMax`). */
const INFLIGHT_MAX = 512;
/** A data isolate that dies again within an hour has a reason. */
const RESTARTS_MIN = 3;
/** Requests a second, averaged over an hour, after which silence is no chance. */
const BUSY_RATE = 0.1;

const REPLICA = 'job="serve",instance="a:8081"';
const OTHER_REPLICA = 'job="serve",instance="b:8081"';

/** Serving processes: there, busy, well, and in touch with the registry. */
export function servingGroup(options: RuleOptions): AlertGroup {
  return {
    name: "serin-serving",
    recordings: [],
    alerts: [
      servingDown(options),
      noTraffic(),
      queueSaturated(options),
      isolateRestarts(),
      versionUnservable(),
      registryUnreachable(options),
    ],
  };
}

function servingDown({ times }: RuleOptions): Alert {
  return {
    name: "SerinServingDown",
    severity: "page",
    expr: promql(
      `count by (${BY.process}) (last_over_time(serin_ready[6h]))`,
      `unless sum by (${BY.process}) (serin_ready) > 0`,
    ),
    for: times.downFor,
    summary: "No replica of {{ $labels.job }} is ready: requests are not answered",
    action: "Look at the pods' state and log, and at why /readyz is not 200; if a deployment or " +
      "a new version has just come, roll it back.",
    fires: [{
      name: "when the only replica ends",
      series: [{ series: `serin_ready{${REPLICA}}`, values: endsAfter(gauge(1, 20)) }],
      at: "40m",
      labels: { job: "serve" },
    }, {
      name: "when all replicas are there and none is ready",
      series: [
        { series: `serin_ready{${REPLICA}}`, values: gauge(0, 60) },
        { series: `serin_ready{${OTHER_REPLICA}}`, values: gauge(0, 60) },
      ],
      at: "40m",
      labels: { job: "serve" },
    }],
    quiet: [{
      name: "while one of two is ready",
      series: [
        { series: `serin_ready{${REPLICA}}`, values: gauge(0, 60) },
        { series: `serin_ready{${OTHER_REPLICA}}`, values: gauge(1, 60) },
      ],
      at: "40m",
    }],
  };
}

function noTraffic(): Alert {
  const requests = (range: string) =>
    `sum by (${BY.model}) (rate(serin_inference_requests_total[${range}`;
  const series = 'serin_inference_requests_total{model="electricity",model_version="1"}';
  return {
    name: "SerinNoTraffic",
    severity: "page",
    // Replicas that have just started have no series before their first request.
    expr: promql(
      `${requests("1h] offset 15m")})) > ${BUSY_RATE}`,
      `unless ${requests("15m]")})) > 0`,
    ),
    for: "5m",
    summary: "{{ $labels.model }}: nobody has asked for 15 minutes, after an hour of requests",
    action: "Send a request through the way that callers take, from outside inwards (DNS, load " +
      "balancer, Service, pod), and fix the first that does not answer.",
    fires: [{
      name: "when a busy model falls silent",
      series: [{
        series,
        values: counter([{ rate: 8, minutes: 90 }, { rate: 0, minutes: 60 }]),
      }],
      at: "112m",
      labels: { model: "electricity" },
    }, {
      name: "when the replicas are new ones that nobody asks",
      series: [{ series, values: endsAfter(counter([{ rate: 60, minutes: 90 }])) }],
      at: "112m",
      labels: { model: "electricity" },
    }],
    quiet: [{
      name: "when few requests become none: that is chance",
      series: [{ series, values: counter([{ rate: 5, minutes: 90 }, { rate: 0, minutes: 60 }]) }],
      at: "112m",
    }, {
      name: "when a tenth of the requests is left",
      series: [{ series, values: counter([{ rate: 60, minutes: 90 }, { rate: 6, minutes: 60 }]) }],
      at: "112m",
    }],
  };
}

function queueSaturated({ times }: RuleOptions): Alert {
  const responses = "rate(serin_http_responses_total";
  const answers = (code: string, rate: number) => ({
    series: `serin_http_responses_total{${REPLICA},code="${code}"}`,
    values: counter([{ rate, minutes: 60 }]),
  });
  return {
    name: "SerinQueueSaturated",
    severity: "page",
    expr: promql(
      `sum by (${BY.process}) (${responses}{code="429"}[5m]))`,
      `/ sum by (${BY.process}) (${responses}[5m])) > ${REFUSED_MAX}`,
      `or max by (${BY.process}) (serin_inflight_requests) > ${INFLIGHT_MAX}`,
    ),
    for: times.downFor,
    summary: "Replicas of {{ $labels.job }} cannot keep up: requests wait or are answered 429",
    action: "Add replicas or cores (serving.replicasMax, SERIN_WORKERS); if the load has not " +
      "grown, look for a slow version on the service dashboard.",
    fires: [{
      name: "when 1.5 % are answered 429",
      series: [answers("200", 5910), answers("429", 90)],
      at: "30m",
      labels: { job: "serve" },
    }, {
      name: "when hundreds wait in one replica",
      series: [
        { series: `serin_inflight_requests{${REPLICA}}`, values: gauge(600, 60) },
        { series: `serin_inflight_requests{${OTHER_REPLICA}}`, values: gauge(3, 60) },
      ],
      at: "30m",
      labels: { job: "serve" },
    }],
    quiet: [{
      name: "when 0.8 % are answered 429, and many wait",
      series: [
        answers("200", 5952),
        answers("429", 48),
        { series: `serin_inflight_requests{${REPLICA}}`, values: gauge(400, 60) },
      ],
      at: "30m",
    }],
  };
}

function isolateRestarts(): Alert {
  const series = `serin_isolate_restarts_total{${REPLICA}}`;
  return {
    name: "SerinIsolateRestarts",
    severity: "ticket",
    // Without extrapolation: what counts are whole restarts.
    expr: promql(
      `sum by (${BY.process}) (`,
      "  serin_isolate_restarts_total - min_over_time(serin_isolate_restarts_total[1h])",
      `) >= ${RESTARTS_MIN}`,
    ),
    for: "1m",
    summary: "Data isolates of {{ $labels.job }} die or hang again and again: {{ $value }} in an " +
      "hour",
    action: "Read why in the replicas' log (isolate died, hung, out of memory); if one version " +
      "is named, move its alias back.",
    fires: [{
      name: "after the third within an hour",
      series: [{
        series,
        values: counter([{ rate: 0, minutes: 30 }, { rate: 1, minutes: 3 }, {
          rate: 0,
          minutes: 30,
        }]),
      }],
      at: "40m",
      labels: { job: "serve" },
      value: "3",
    }],
    quiet: [{
      name: "after two",
      series: [{
        series,
        values: counter([{ rate: 0, minutes: 30 }, { rate: 1, minutes: 2 }, {
          rate: 0,
          minutes: 30,
        }]),
      }],
      at: "40m",
    }, {
      name: "when three are spread over a day",
      series: [{
        series,
        values: counter([
          { rate: 0, minutes: 30 },
          { rate: 1, minutes: 1 },
          { rate: 0, minutes: 119 },
          { rate: 1, minutes: 1 },
          { rate: 0, minutes: 119 },
          { rate: 1, minutes: 1 },
          { rate: 0, minutes: 30 },
        ]),
      }],
      at: "280m",
    }],
  };
}

function versionUnservable(): Alert {
  const series = `serin_version_unservable{${REPLICA},model="electricity",model_version="2"}`;
  return {
    name: "SerinVersionUnservable",
    severity: "ticket",
    expr: `sum by (${BY.version}) (serin_version_unservable) > 0`,
    for: "10m",
    summary: "{{ $labels.model }} {{ $labels.model_version }}: {{ $value }} replica(s) cannot " +
      "serve it",
    action: "Read the reason in /status of a replica's admin port; move the alias to a version " +
      "that can be served, or register a repaired one.",
    fires: [{
      name: "when a replica cannot load it",
      series: [{ series, values: gauge(1, 60) }],
      at: "30m",
      labels: { model: "electricity", model_version: "2" },
      value: "1",
    }],
    quiet: [{
      name: "when it can after some minutes, the registry being back",
      series: [{ series, values: endsAfter(gauge(1, 8)) }],
      at: "30m",
    }],
  };
}

function registryUnreachable({ times }: RuleOptions): Alert {
  const series = (replica: string, value: number) => ({
    series: `serin_registry_reachable{${replica}}`,
    values: gauge(value, 60),
  });
  return {
    name: "SerinRegistryUnreachable",
    severity: "ticket",
    expr: `avg by (${BY.process}) (serin_registry_reachable) < 0.5`,
    for: times.downFor,
    summary: "Most replicas of {{ $labels.job }} cannot reach the registry: they serve what they " +
      "have, rollouts stand still and labels are refused",
    action: "Ask the registry's /readyz from a replica's pod; check the token, the network " +
      "policy and the name in --registry.",
    fires: [{
      name: "when two of three cannot",
      series: [
        series(REPLICA, 0),
        series(OTHER_REPLICA, 0),
        series('job="serve",instance="c:8081"', 1),
      ],
      at: "30m",
      labels: { job: "serve" },
    }],
    quiet: [{
      name: "when one of three cannot",
      series: [
        series(REPLICA, 0),
        series(OTHER_REPLICA, 1),
        series('job="serve",instance="c:8081"', 1),
      ],
      at: "30m",
    }],
  };
}
