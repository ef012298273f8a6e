import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin registry` */
export const registryCommand = defineCommand({
  name: "registry",
  summary: "Run the tracking server and model registry",
  description:
    "Speaks MLflow's REST API, so that MLflow's clients need only MLFLOW_TRACKING_URI. Experiments, " +
    "runs, models and versions are kept in an SQLite database in the data folder, files beside it; " +
    "what was acknowledged is on disk. One process at a time has a data folder. Tokens are sent as " +
    "Bearer, or as the password of Basic (MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_PASSWORD).",
  options: z.strictObject({
    host: z.string().min(1).default("127.0.0.1").meta({
      description: "Address to listen on; all but this machine's own want tokens",
      placeholder: "H",
    }),
    port: z.int().min(0).max(65535).default(5000).meta({
      description: "Port to listen on, 0 for any",
      placeholder: "P",
    }),
    data: z.string().min(1).default("serin-data").meta({
      description: "Folder of the database and the files; made where it is missing",
      placeholder: "DIR",
    }),
    defaultArtifactRoot: z.string().min(1).default("mlflow-artifacts:/").meta({
      description:
        "Where new experiments put their files: mlflow-artifacts:/ is through this server, a folder " +
        "or another URI is written by the clients themselves",
      placeholder: "URI",
    }),
    artifactsDestination: z.string().min(1).optional().meta({
      description: "Folder for the files that go through this server (default DATA/artifacts)",
      placeholder: "DIR",
    }),
    sourcePattern: z.string().min(1).optional().meta({
      description: "Regular expression that the source of a new model version must match",
      placeholder: "REGEX",
      env: "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
    }),
    adminTokenFile: z.string().min(1).optional().meta({
      description:
        "File that holds the token that may do everything; where no token is given and " +
        "the address is not this machine's own, DATA/admin-token is made",
      placeholder: "FILE",
    }),
    adminToken: z.string().optional().meta({
      description: "The same, where --admin-token-file names no file",
      env: "SERIN_ADMIN_TOKEN",
      secret: true,
    }),
    replicaTokenFile: z.string().min(1).optional().meta({
      description: "File that holds the token of `serin serve`: reads models, syncs, sends labels",
      placeholder: "FILE",
    }),
    replicaToken: z.string().optional().meta({
      description: "The same, where --replica-token-file names no file",
      env: "SERIN_REPLICA_TOKEN",
      secret: true,
    }),
    graceSeconds: z.number().min(0).max(3600).default(10).meta({
      description: "How long requests may still run after SIGTERM",
      placeholder: "S",
    }),
  }),
  permissions: ["read", "write", "net"],
  examples: [
    "registry",
    "registry --port 5001 --data /var/lib/serin",
    "registry --host 0.0.0.0 --admin-token-file admin-token --replica-token-file replica-token",
  ],
  load: () => import("./registry_run.ts"),
});
