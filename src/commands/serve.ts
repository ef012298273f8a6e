import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { BYTES, BYTES_PROBLEM } from "./byte_size.ts";
import { modelRegistry, registryToken, registryTokenFile } from "./registry_options.ts";

const SECONDS_MAX = 3600;

const seconds = (description: string, fallback: number) =>
  z.number().min(0).max(SECONDS_MAX).default(fallback).meta({ description, placeholder: "S" });

const port = (description: string, fallback: number) =>
  z.int().min(0).max(65535).default(fallback).meta({ description, placeholder: "P" });

/** `serin serve` */
export const serveCommand = defineCommand({
  name: "serve",
  summary: "Serve models over HTTP, and roll new versions out by share",
  description:
    "Answers the Open Inference Protocol v2 and MLflow's /invocations on the data port; " +
    "health, metrics and status on the admin port. A model given as models:/NAME@ALIAS is followed: " +
    "when the alias moves, the new version takes over without a failed request, and the registry's " +
    "rollouts split its traffic. SIGTERM: not ready at once, answering for the delay, then what is in " +
    "flight up to the grace, then the last counts; SIGINT without the delay; a second signal ends at " +
    "once.",
  positionals: [{
    name: "FOLDER|FILE",
    summary: "A model folder or an .onnx file",
    optional: true,
  }],
  options: z.strictObject({
    model: z.array(z.string().min(1)).default([]).meta({
      description:
        "What to serve: models:/name@alias, models:/name/3, runs:/ID/path, folder or file",
      placeholder: "[NAME=]URI",
    }),
    registry: modelRegistry,
    registryTokenFile,
    registryToken,
    host: z.string().min(1).default("127.0.0.1").meta({
      description: "Address of both ports",
      placeholder: "H",
    }),
    port: port("Data port, 0 for any", 8080),
    adminPort: port("Admin port, 0 for any", 8081),
    workers: z.int().min(1).max(256).default(1).meta({
      description: "Data isolates that share the data port, each on a thread of its own",
      placeholder: "N",
      env: "SERIN_WORKERS",
    }),
    cache: z.string().min(1).default("serin-data/cache").meta({
      description: "Folder that holds fetched models",
      placeholder: "DIR",
    }),
    replica: z.string().min(1).max(100).default("local").meta({
      description: "This replica's name, as the registry shows it",
      placeholder: "NAME",
      env: "HOSTNAME",
    }),
    shutdownDelaySeconds: seconds(
      "After SIGTERM, how long it goes on accepting, though it is not ready any more",
      0,
    ),
    graceSeconds: seconds("How long in-flight requests may take when it ends", 20),
    driftWindowMinutes: z.number().min(1).max(7 * 1440).default(60).meta({
      description: "How far back inputs and predictions are held against the training profile",
      placeholder: "M",
    }),
    predictionLog: z.string().min(1).optional().meta({
      description:
        "Folder of this replica's own that keeps what was asked and answered, with the labels that " +
        "pass; default: nothing is kept",
      placeholder: "DIR",
    }),
    predictionLogRate: z.number().gt(0).max(1).default(1).meta({
      description: "Share of the requests that are kept",
      placeholder: "R",
    }),
    predictionLogBytes: z.string().regex(BYTES, BYTES_PROBLEM).default("256Mi").meta({
      description: "Most bytes that are kept, e.g. 256Mi or 2Gi; the oldest rows leave first",
      placeholder: "N",
    }),
    predictionLogTo: z.string().min(1).optional().meta({
      description: "serin retrain serve that gets what is kept; default: it stays here",
      placeholder: "URL",
      env: "SERIN_PREDICTION_LOG_TO",
    }),
    predictionLogTokenFile: z.string().min(1).optional().meta({
      description: "File that holds the replica token of --prediction-log-to",
      placeholder: "FILE",
    }),
    predictionLogToken: z.string().optional().meta({
      description: "That token, where --prediction-log-token-file names no file",
      env: "SERIN_PREDICTION_LOG_TOKEN",
      secret: true,
    }),
    controlTokenFile: z.string().min(1).optional().meta({
      description:
        "File that holds the token of the admin port's /status; default the registry's, where --host " +
        "is no loopback address",
      placeholder: "FILE",
    }),
    controlToken: z.string().optional().meta({
      description: "The token of /status, where --control-token-file names no file",
      env: "SERIN_CONTROL_TOKEN",
      secret: true,
    }),
  }),
  permissions: ["read", "write", "net"],
  examples: [
    "serve model",
    "serve --registry http://localhost:5000 --model models:/electricity@champion --workers 2",
    "serve model --prediction-log serin-data/predictions --prediction-log-bytes 1Gi",
    "serve model --prediction-log log --prediction-log-to http://localhost:8083",
    "serve --registry http://serin-registry:5000 --host 0.0.0.0 --shutdown-delay-seconds 5",
  ],
  load: () => import("./serve_run.ts"),
});
