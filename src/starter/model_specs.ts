import { SAMPLE_TARGET } from "./sample_data.ts";

/** A YAML file: comment lines, and what stands below them. */
export interface SpecFile {
  readonly header: readonly string[];
  readonly content: Readonly<Record<string, unknown>>;
}

/** `train.yaml` */
export function trainSpec(model: string): SpecFile {
  return {
    header: [
      "How the model is trained; `serin train --help`. Every value has a default, an unknown key is an",
      "error. The same data and the same file give the same model, byte for byte.",
    ],
    content: {
      objective: "binary",
      target: SAMPLE_TARGET,
      split: { kind: "random", validation: 0.2, test: 0.2 },
      gbdt: { trees: 200, learning_rate: 0.05, leaves: 15, early_stopping: 20 },
      seed: 1,
      experiment: model,
    },
  };
}

/** `gate.yaml` */
export function gateSpec(): SpecFile {
  return {
    header: [
      "What a version must show on data/holdout.csv before it is registered. absolute: by itself;",
      "relative: against the champion on the same rows, worse by no more than the margin; slices: no",
      "weekday may be shown to be much worse. Narrower margins take more rows: the gate says how many.",
    ],
    content: {
      target: SAMPLE_TARGET,
      absolute: { auc: { min: 0.65 } },
      relative: { auc: { margin: 0.02 }, log_loss: { margin: 0.02 } },
      slices: { columns: [{ column: "weekday", bins: 6 }] },
      latency: { ratio_max: 5 },
    },
  };
}

/** `rollout.yaml` */
export function rolloutSpec(): SpecFile {
  return {
    header: [
      "How traffic goes over to a new version: shares, and seconds at each of them at least. Errors,",
      "latency and late labels are compared all the while; a version that is shown to be worse is rolled",
      "back at once. The job `deploy` makes this the model's tag serin.rollout_plan.",
    ],
    content: {
      steps: [
        { share: 0.05, seconds: 300 },
        { share: 0.1, seconds: 300 },
        { share: 0.25, seconds: 300 },
        { share: 0.5, seconds: 300 },
      ],
      warmupSeconds: 60,
      canaryRequestsMin: 10,
      holdSeconds: 1800,
      labels: "if_any",
      margins: { errorRatio: 2, latencyRatio: 1.5, labelRatio: 1.2 },
    },
  };
}
