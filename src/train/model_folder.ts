import { VERSION } from "../core/mod.ts";
import type { Evaluation } from "./evaluation.ts";
import { labelType } from "./graph.ts";
import type { ColumnProfile } from "./profile.ts";
import type { NamedColumn } from "./reference.ts";
import type { ResolvedSpec } from "./spec.ts";
import type { Classes } from "./target.ts";
import { type Plain, toYaml } from "./yaml_text.ts";

/** What the files of a model's folder are made from. */
export interface FolderParts {
  readonly model: Uint8Array;
  readonly modelSha256: string;
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly spec: ResolvedSpec;
  readonly features: readonly string[];
  readonly classes: Classes | undefined;
  readonly evaluation: Evaluation;
  readonly profiles: readonly ColumnProfile[];
  /** A few rows of the test part. */
  readonly example: readonly NamedColumn[];
}

/** Versions that the folder was checked against (`tests/train_test.ts`). */
const PYTHON_VERSION = "3.11.7";
const MLFLOW_VERSION = "3.17.2";
const REQUIREMENTS = ["mlflow>=3,<4", "numpy", "onnx>=1.16", "onnxruntime>=1.17", "pandas"];

const encoder = new TextEncoder();

/**
 * The files of an MLflow model (mlflow.org, "MLflow Models"; flavors onnx and python_function), with
 * serin's own beside them: `train.yaml`, `evaluation.json`, `profile.json`.
 */
export function modelFolder(parts: FolderParts): Map<string, Uint8Array> {
  const yaml = (value: { [key: string]: Plain }) => encoder.encode(toYaml(value));
  const json = (value: unknown) => encoder.encode(JSON.stringify(value, null, 2) + "\n");
  const files = new Map<string, Uint8Array>([
    ["model.onnx", parts.model],
    ["train.yaml", yaml(parts.spec as unknown as { [key: string]: Plain })],
    ["evaluation.json", json(parts.evaluation)],
    ["profile.json", json({ rows: parts.evaluation.rows.train, columns: parts.profiles })],
    ["conda.yaml", yaml(condaEnvironment())],
    ["python_env.yaml", yaml(pythonEnvironment())],
    ["requirements.txt", encoder.encode(REQUIREMENTS.join("\n") + "\n")],
    ["input_example.json", json(exampleTable(parts.example))],
    ["serving_input_example.json", json({ dataframe_split: exampleTable(parts.example) })],
  ]);
  const size = [...files.values()].reduce((sum, file) => sum + file.length, 0);
  files.set("MLmodel", yaml(mlmodel(parts, size)));
  return files;
}

function mlmodel(parts: FolderParts, size: number): { [key: string]: Plain } {
  return {
    flavors: {
      onnx: {
        code: null,
        data: "model.onnx",
        onnx_session_options: null,
        onnx_version: "1.16.0",
        providers: ["CPUExecutionProvider"],
      },
      python_function: {
        data: "model.onnx",
        env: { conda: "conda.yaml", virtualenv: "python_env.yaml" },
        loader_module: "mlflow.onnx",
        python_version: PYTHON_VERSION,
      },
    },
    mlflow_version: MLFLOW_VERSION,
    model_size_bytes: size,
    model_uuid: parts.modelSha256.slice(0, 32),
    run_id: parts.runId,
    metadata: { serin_version: VERSION, model_sha256: parts.modelSha256 },
    saved_input_example_info: {
      artifact_path: "input_example.json",
      pandas_orient: "split",
      serving_input_path: "serving_input_example.json",
      type: "dataframe",
    },
    signature: signature(parts),
    utc_time_created: new Date(parts.now).toISOString().replace("T", " ").replace("Z", "000"),
  };
}

/** Tensors, not columns: MLflow then hands each column over as the [N, 1] array that ONNX takes. */
function signature({ features, classes, spec }: FolderParts): { [key: string]: Plain } {
  const tensor = (name: string, dtype: string, shape: number[]) => ({
    name,
    type: "tensor",
    "tensor-spec": { dtype, shape },
  });
  const inputs = features.map((name) => tensor(name, "float32", [-1, 1]));
  const type = labelType(classes ?? [0, 1]);
  const outputs = spec.objective === "regression" ? [tensor("prediction", "float32", [-1])] : [
    tensor("label", type === "string" ? "str" : type, [-1]),
    tensor("probabilities", "float32", [-1, 2]),
  ];
  return { inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs), params: null };
}

function exampleTable(example: readonly NamedColumn[]) {
  const rows = example[0].values.length;
  return {
    columns: example.map((column) => column.name),
    data: Array.from({ length: rows }, (_, row) => {
      return example.map(({ values }) => Number.isFinite(values[row]) ? values[row] : null);
    }),
  };
}

function condaEnvironment(): { [key: string]: Plain } {
  return {
    channels: ["conda-forge"],
    dependencies: [`python=${PYTHON_VERSION}`, "pip", { pip: REQUIREMENTS }],
    name: "mlflow-env",
  };
}

function pythonEnvironment(): { [key: string]: Plain } {
  return {
    python: PYTHON_VERSION,
    build_dependencies: ["pip", "setuptools", "wheel"],
    dependencies: ["-r requirements.txt"],
  };
}
