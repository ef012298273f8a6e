import { z } from "zod";
import { VERSION } from "../../core/mod.ts";
import { parseQuantity } from "./quantity.ts";

const dnsLabel = z.string().regex(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "must be a DNS label: a-z, 0-9 and -, at most 63 characters",
);
const cores = z.string().refine(
  (text) => (parseQuantity(text) ?? 0) > 0 && /^[\d.]+m?$/.test(text),
  "must be cores, such as 500m or 2",
);
const bytes = z.string().refine(
  (text) => (parseQuantity(text) ?? 0) >= 1 && !text.endsWith("m"),
  "must be bytes, such as 256Mi or 10Gi",
);
/** As `serin serve --prediction-log-bytes` reads it. */
const logBytes = z.string().refine(
  (text) => /^[1-9]\d*([KMGT]i|[kMGT])?$/.test(text) && parseQuantity(text)! >= 2 ** 20,
  "must be whole bytes, at least 1Mi, such as 256Mi or 10Gi",
);
const seconds = (min: number, max: number) => z.int().min(min).max(max);
const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: "must be a CIDR, such as 10.0.0.0/8" });

const percent = z.string().refine(
  (text) => /^\d{1,2}(\.\d{1,3})?$/.test(text) && Number(text) >= 95 && Number(text) <= 99.999,
  "must be from 95 to 99.999, such as 99.9",
);

/** Bounds of the latency histogram that an objective may be at. */
export const LATENCY_CHOICES =
  // deno-fmt-ignore
  ["0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5"] as const;

/** Requests by measurement (docs/decisions/0010), memory limits with room for a second isolate. */
const resources = (requests: { cpu: string; memory: string }, limits: { memory: string }) =>
  z.strictObject({
    requests: z.strictObject({
      cpu: cores.default(requests.cpu).meta({ description: "Cores that the scheduler keeps free" }),
      memory: bytes.default(requests.memory).meta({
        description: "Memory that the scheduler keeps free",
      }),
    }).prefault({}),
    limits: z.strictObject({
      cpu: cores.optional().meta({
        description: "Above it the container is slowed down; default never, for that makes tails",
      }),
      memory: bytes.default(limits.memory).meta({
        description: "Above it the container is killed",
      }),
    }).prefault({}),
  }).superRefine(({ requests, limits }, context) => {
    for (const name of ["cpu", "memory"] as const) {
      const limit = limits[name];
      if (limit === undefined || parseQuantity(requests[name])! <= parseQuantity(limit)!) continue;
      const message = `must not be above limits.${name} (${limit})`;
      context.addIssue({ code: "custom", path: ["requests", name], message });
    }
  }).prefault({});

const registry = z.strictObject({
  storage: bytes.default("10Gi").meta({
    description: "Size of the registry's volume: database and model files",
  }),
  storageClass: dnsLabel.optional().meta({
    description: "StorageClass of the volume; default the cluster's own",
  }),
  graceSeconds: seconds(0, 300).default(10).meta({
    description: "How long requests may still run after SIGTERM",
  }),
  resources: resources({ cpu: "100m", memory: "128Mi" }, { memory: "512Mi" }),
});

const serving = z.strictObject({
  replicasMin: z.int().min(1).max(1000).default(2).meta({ description: "Fewest replicas" }),
  replicasMax: z.int().min(1).max(1000).default(6).meta({ description: "Most replicas" }),
  autoscaling: z.enum(["cpu", "inflight-adapter", "inflight-keda"]).default("cpu").meta({
    description: "What replicas follow: CPU alone, or also serin_inflight_requests by way of " +
      "prometheus-adapter or KEDA",
  }),
  cpuPercent: z.int().min(1).max(1000).default(70).meta({
    description: "CPU use that autoscaling aims at, percent of the request",
  }),
  inflightPerReplica: z.int().min(1).max(10_000).default(4).meta({
    description: "Requests in flight that autoscaling aims at, a replica",
  }),
  scaleDownSeconds: seconds(0, 3600).default(300).meta({
    description: "How long load must have been lower before replicas are taken away",
  }),
  shutdownDelaySeconds: seconds(0, 120).default(5).meta({
    description: "How long a replica that ends still accepts, until all Services have forgotten it",
  }),
  graceSeconds: seconds(1, 600).default(20).meta({
    description: "How long requests may run on after that",
  }),
  startupSeconds: seconds(10, 3600).default(300).meta({
    description: "How long a replica may take until it answers its first probe",
  }),
  cacheSize: bytes.default("2Gi").meta({ description: "Largest size of the fetched models" }),
  surge: z.string().regex(/^(\d{1,3}%|\d{1,4})$/, "must be a number or a percentage").default("1")
    .meta({ description: "Replicas above the wanted number during an update" }),
  spread: z.enum(["none", "nodes", "zones"]).default("nodes").meta({
    description: "Over what replicas are spread, as far as there is room; zones includes nodes",
  }),
  resources: resources({ cpu: "250m", memory: "448Mi" }, { memory: "768Mi" }),
});

const controller = z.strictObject({
  replicas: z.int().min(1).max(3).default(1).meta({
    description: "More than one only stand by: one holds the Lease",
  }),
  resources: resources({ cpu: "50m", memory: "128Mi" }, { memory: "256Mi" }),
});

const training = z.strictObject({
  data: z.string().regex(/^\/data\/./, "must be a file in /data, where the volume is")
    .default("/data/train.csv").meta({ description: "CSV file of trainings that name no --data" }),
  target: z.string().min(1).optional().meta({
    description:
      "Column to predict of trainings that name no --target; default that of their --spec",
  }),
  arguments: z.array(z.string().min(1)).default([]).meta({
    description: "Arguments of serin train before those of a request; --registry, --out are given",
  }),
  suspend: z.boolean().default(true).meta({
    description: "Whether the CronJob is a template only, from which the controller makes Jobs",
  }),
  schedule: z.string().regex(/^\S+( \S+){4}$/, "must have five fields, such as 0 3 * * *")
    .default("0 3 * * *").meta({
      description: "When the CronJob runs if it is not suspended, UTC",
    }),
  deadlineSeconds: seconds(60, 7 * 24 * 3600).default(6 * 3600).meta({
    description: "How long one training may take, its second try included",
  }),
  keepSeconds: seconds(60, 30 * 24 * 3600).default(24 * 3600).meta({
    description: "How long an ended Job and its log are kept",
  }),
  storage: bytes.default("1Gi").meta({ description: "Size of the volume with training data" }),
  storageClass: dnsLabel.optional().meta({
    description: "StorageClass of that volume; default the cluster's own",
  }),
  job: z.boolean().default(false).meta({
    description: "Whether a Job that trains once, now, is made beside the CronJob",
  }),
  resources: resources({ cpu: "1", memory: "384Mi" }, { memory: "2Gi" }),
});

const retrain = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description:
      "Whether serin retrain serve runs, and replicas send it what they log; needs the " +
      "ConfigMap serin-retrain with retrain.yaml",
  }),
  trainIn: z.enum(["job", "worker"]).default("job").meta({
    description: "Where it trains: in Jobs, or in its own pod",
  }),
  storage: bytes.default("10Gi").meta({
    description: "Size of its volume: the log of all replicas, its records, rows of retrainings",
  }),
  storageClass: dnsLabel.optional().meta({
    description: "StorageClass of that volume; default the cluster's own",
  }),
  logSize: logBytes.default("1Gi").meta({
    description: "Most bytes that the log of all replicas keeps there; the oldest rows leave first",
  }),
  replicaLogSize: logBytes.default("256Mi").meta({
    description:
      "Most bytes that each replica keeps until they are sent; its node holds up to twice " +
      "as many",
  }),
  logRate: z.string().regex(
    /^(1(\.0+)?|0?\.\d*[1-9]\d*)$/,
    "must be a number above 0, at most 1, such as 0.1",
  ).default("1").meta({ description: "Share of the requests that is logged" }),
  resources: resources({ cpu: "100m", memory: "256Mi" }, { memory: "2Gi" }),
});

const network = z.strictObject({
  clientNamespaces: z.array(dnsLabel).default([]).meta({
    description: "Namespaces that may send requests to the models; default anyone who reaches them",
  }),
  monitoringNamespace: dnsLabel.default("monitoring").meta({
    description: "Namespace of Prometheus, which may read /metrics",
  }),
  dnsCidrs: z.array(cidr).default(["169.254.20.10/32"]).meta({
    description: "Addresses of DNS servers beside the pods of kube-dns: that of the node-local " +
      "cache, which others may have elsewhere (its Service's, for one)",
  }),
  apiServerCidrs: z.array(cidr).default([]).meta({
    description: "Addresses of the API server: the controller may reach only these, and they may " +
      "reach the registry (kubectl's and serin's way through the service proxy); default the " +
      "controller may reach any address on the API server's ports, and the proxy is shut out",
  }),
});

const monitoring = z.strictObject({
  monitors: z.boolean().default(false).meta({
    description: "Whether ServiceMonitor and PodMonitors are made (Prometheus operator)",
  }),
  intervalSeconds: seconds(1, 3600).default(15).meta({ description: "How often they scrape" }),
  rules: z.boolean().default(false).meta({
    description: "Whether the alerts are made as a PrometheusRule (Prometheus operator)",
  }),
  dashboards: z.boolean().default(false).meta({
    description: "Whether the dashboards are made as ConfigMaps for Grafana's sidecar",
  }),
  runbookUrl: z.url().default("https://serin.dev/docs/runbook").meta({
    description: "Where alerts' pages are: this, the alert's name, .md; the pages are docs/runbook",
  }),
  pageUrl: z.url().default("http://alert-receiver.monitoring.svc:8080/page").meta({
    description: "Webhook that Alertmanager calls for what wakes somebody up",
  }),
  ticketUrl: z.url().default("http://alert-receiver.monitoring.svc:8080/ticket").meta({
    description: "The same for what can wait until the next working day",
  }),
  retrainUrl: z.url().optional().meta({
    description:
      "Webhook of serin retrain serve, for what training on fresh data may cure; default " +
      "the Service of retrain.enabled, else http://localhost:8083/v1/alerts",
  }),
  retrainTokenFile: z.string().startsWith("/", "must be an absolute path").optional().meta({
    description:
      "File of Alertmanager's that holds its token; default none, or with retrain.enabled " +
      "/etc/alertmanager/secrets/serin-retrain/token",
  }),
  alertmanagers: z.array(z.string().regex(/^[^\s/]+:\d+$/, "must be HOST:PORT"))
    .default(["alertmanager.monitoring.svc:9093"]).meta({
      description: "Alertmanagers of prometheus/prometheus-kubernetes.yaml",
    }),
  availabilityPercent: percent.default("99.9").meta({
    description: "Objective: requests that are answered, percent of 30 days'",
  }),
  latencyPercent: percent.default("99").meta({
    description: "Objective: requests within monitoring.latencySeconds, percent of 30 days'",
  }),
  latencySeconds: z.enum(LATENCY_CHOICES).default("0.1").meta({
    description: "What a model may take for a request, without the transport",
  }),
  psiMax: z.string().regex(/^\d*\.?\d+$/, "must be a number, such as 0.25").default("0.25").meta({
    description: "Population stability index above which a column, or the predictions, drift",
  }),
  driftIgnoreColumns: z.array(z.string().min(1).max(255)).default([]).meta({
    description: "Columns that are new every day by their nature (dates, counters), of whatever " +
      "model: SerinInputDrift and SerinInputUnseen leave them alone",
  }),
  modelAgeDaysMax: z.int().min(1).max(3650).default(90).meta({
    description: "Age above which a champion is stale",
  }),
  labelDelayHoursMax: z.int().min(1).max(2160).default(24).meta({
    description: "How late labels may be, and how long there may be none",
  }),
  prometheusUrl: z.url().default("http://prometheus-operated.monitoring.svc:9090").meta({
    description: "Prometheus as KEDA reaches it",
  }),
});

/** All that the manifests may be told; every value has a default and a description. */
export const manifestSettingsSchema = z.strictObject({
  namespace: dnsLabel.default("serin").meta({ description: "Namespace of every object" }),
  image: z.string().regex(
    /^[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?$/,
    "must be an image, such as registry.example/serin:1.0",
  ).default(`serin:${VERSION}`).meta({ description: "The image of every container" }),
  imagePullPolicy: z.enum(["IfNotPresent", "Always", "Never"]).default("IfNotPresent").meta({
    description: "When nodes fetch it; IfNotPresent needs tags that never move",
  }),
  registry: registry.prefault({}),
  serving: serving.superRefine(({ replicasMin, replicasMax }, context) => {
    if (replicasMin <= replicasMax) return;
    const message = `must not be above serving.replicasMax (${replicasMax})`;
    context.addIssue({ code: "custom", path: ["replicasMin"], message });
  }).prefault({}),
  controller: controller.prefault({}),
  training: training.superRefine((training, context) => {
    const given = training.arguments.some((text) => /^--(target|spec)(=|$)/.test(text));
    const alone = training.job ? "job" : training.suspend ? undefined : "suspend";
    if (alone === undefined || given || training.target !== undefined) return;
    const message = `must be set, or --spec be in training.arguments: training.${alone} is ` +
      `${training[alone]}, and nobody asks for the training with arguments of their own`;
    context.addIssue({ code: "custom", path: ["target"], message });
  }).prefault({}),
  retrain: retrain.superRefine(({ logSize, storage }, context) => {
    // Rows of a retraining are written beside the log before it is trained on.
    if (parseQuantity(logSize)! <= parseQuantity(storage)! / 2) return;
    const message = `must be at most half of retrain.storage (${storage})`;
    context.addIssue({ code: "custom", path: ["logSize"], message });
  }).prefault({}),
  network: network.prefault({}),
  monitoring: monitoring.prefault({}),
});

/** Checked settings. */
export type ManifestSettings = z.output<typeof manifestSettingsSchema>;

/** Settings as a person gives them: what is left out has its default. */
export type ManifestSettingsInput = z.input<typeof manifestSettingsSchema>;
