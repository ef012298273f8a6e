import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { BYTES, BYTES_PROBLEM } from "./byte_size.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin retrain serve` */
export const retrainServeCommand = defineCommand({
  name: "retrain serve",
  summary: "Retrain models when Alertmanager says so, with brakes",
  description:
    "Takes Alertmanager's webhook (POST /v1/alerts) and decides by the brakes of retrain.yaml. What no " +
    "brake holds is trained on fresh labelled rows, registered, gated against the champion, and made " +
    "challenger where it passes; the registry's rollout decides the rest. Every step is recorded " +
    "before it is taken: started again, it goes on. /livez, /readyz and /metrics need no token.",
  options: z.strictObject({
    registry: z.string().min(1).meta({
      description: "serin registry",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    spec: z.string().min(1).meta({
      description: "retrain.yaml: models, their data, what holds a retraining back",
      placeholder: "FILE",
    }),
    data: z.string().min(1).default("serin-data/retrain").meta({
      description: "Folder that keeps decisions, and the files of the newest retrainings",
      placeholder: "DIR",
    }),
    trainIn: z.enum(["worker", "job"]).default("worker").meta({
      description: "worker: in this process; job: in a Job of Kubernetes, which serin controller " +
        "makes and which fetches its rows of this process",
      placeholder: "WHERE",
    }),
    ownUrl: z.string().min(1).optional().meta({
      description: "Where Jobs reach this process; default the address that it listens on",
      placeholder: "URL",
    }),
    predictionLog: z.string().min(1).optional().meta({
      description:
        "Folder that keeps what replicas send of their prediction logs (serve --prediction-log-to); " +
        "default: nothing is taken",
      placeholder: "DIR",
    }),
    predictionLogBytes: z.string().regex(BYTES, BYTES_PROBLEM).default("1Gi").meta({
      description: "Most bytes that are kept there, e.g. 256Mi or 2Gi; the oldest rows leave first",
      placeholder: "N",
    }),
    host: z.string().min(1).default("127.0.0.1").meta({
      description: "Address to listen on; another than this machine's own wants a token",
      placeholder: "H",
    }),
    port: z.int().min(0).max(65535).default(8083).meta({
      description: "Port to listen on, 0 for any",
      placeholder: "P",
    }),
    tokenFile: z.string().min(1).optional().meta({
      description: "File that holds the administrator's token: history, approval, rows, and all " +
        "that the tokens below may do",
      placeholder: "FILE",
    }),
    token: z.string().optional().meta({
      description: "That token, where --token-file names no file",
      env: "SERIN_RETRAIN_TOKEN",
      secret: true,
    }),
    replicaTokenFile: z.string().min(1).optional().meta({
      description: "File that holds the token of replicas: they may send prediction logs, no more",
      placeholder: "FILE",
    }),
    replicaToken: z.string().optional().meta({
      description: "That token, where --replica-token-file names no file",
      env: "SERIN_RETRAIN_REPLICA_TOKEN",
      secret: true,
    }),
    webhookTokenFile: z.string().min(1).optional().meta({
      description: "File that holds Alertmanager's token: it may POST /v1/alerts, no more",
      placeholder: "FILE",
    }),
    webhookToken: z.string().optional().meta({
      description: "That token, where --webhook-token-file names no file",
      env: "SERIN_RETRAIN_WEBHOOK_TOKEN",
      secret: true,
    }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "write", "net", "env"],
  examples: [
    "retrain serve --registry http://localhost:5000 --spec retrain.yaml",
    "retrain serve --registry http://localhost:5000 --spec retrain.yaml --prediction-log predictions",
  ],
  load: () => import("./retrain_serve_run.ts"),
});
