import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin smoke` */
export const smokeCommand = defineCommand({
  name: "smoke",
  summary: "Ask a served model a few times, and say by exit code whether all is well",
  description:
    "The server is ready, knows the model and the version, answers a request with an answer of the " +
    "shape that it promised, finite and in time. Any server of the Open Inference Protocol v2 will " +
    "do. With a version named in --model, that version is asked, a canary too; without, whichever " +
    "one the server chooses. Exit code 0: all is well; 1: something is not, or the server is out of " +
    "reach.",
  options: z.strictObject({
    url: z.string().min(1).default("http://localhost:8080").meta({
      description: "Data port of `serin serve`",
      placeholder: "URL",
      env: "SERIN_SERVING_URL",
    }),
    model: z.string().min(1).meta({
      description: "A served model's name, or models:/NAME/VERSION to ask that version",
      placeholder: "NAME|URI",
    }),
    example: z.string().min(1).optional().meta({
      description: "Request in MLflow's or the protocol's form, e.g. a model folder's " +
        "serving_input_example.json; default a row of zeros",
      placeholder: "FILE",
    }),
    requests: z.int().min(1).max(10_000).default(20).meta({
      description: "How often it is asked, one after the other",
    }),
    latencyMsMax: z.number().gt(0).default(1000).meta({
      description: "What the median answer may take, milliseconds, the network included",
    }),
    timeoutSeconds: z.number().min(0).max(3600).default(30).meta({
      description: "How long to wait until server and version are ready",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
    junit: z.string().min(1).optional().meta({
      description: "Write JUnit XML, one test case a check",
      placeholder: "FILE",
    }),
  }),
  permissions: ["read", "write", "net"],
  examples: [
    "smoke --model electricity --example model/serving_input_example.json",
    "smoke --url http://localhost:8080 --model models:/electricity/3 --latency-ms-max 50 --json",
  ],
  load: () => import("./smoke_run.ts"),
});
