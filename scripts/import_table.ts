/**
 * Who may import whom: the table of docs/architecture.md as data. `scripts/lint_plugin.ts` enforces it
 * (`deno lint`), `tests/tidy_test.ts` holds it against the folders of `src/` and the architecture page.
 */

/** A folder of `src/`. */
export interface Room {
  /** 0 core … 4 commands; a room imports only rooms of its own level or below. */
  readonly level: number;
  /** Rooms whose doors its shipped code may import. */
  readonly imports: readonly string[];
  /** npm packages, vendored files and guarded built-ins that only this room imports. */
  readonly outside?: readonly string[];
  /** Files beside `mod.ts` that other rooms may import, each with its reason. */
  readonly doors?: Readonly<Record<string, string>>;
}

const DOMAINS = ["train", "artifact", "tracking", "registry", "inference", "rollout"] as const;

/** Every room, in the order of the architecture page. */
export const ROOMS: Readonly<Record<string, Room>> = {
  core: { level: 0, imports: [] },
  cli: { level: 1, imports: ["core"], outside: ["commander"] },
  config: { level: 1, imports: ["core"], outside: ["yaml"] },
  dataset: { level: 1, imports: ["core"] },
  onnx: { level: 1, imports: ["core"] },
  statistics: { level: 1, imports: ["core"] },
  mlflow: { level: 1, imports: ["core"] },
  control: { level: 1, imports: ["core"] },
  kubernetes: { level: 1, imports: ["core"] },
  database: { level: 1, imports: ["core"], outside: ["node:sqlite"] },
  telemetry: {
    level: 1,
    imports: ["core"],
    outside: ["prom-client"],
    doors: { "inference_stats.ts": "counts in a data isolate, which must not load prom-client" },
  },
  train: { level: 2, imports: ["core", "dataset", "onnx", "statistics"] },
  artifact: { level: 2, imports: ["core", "database"] },
  tracking: { level: 2, imports: ["core", "database"] },
  registry: { level: 2, imports: ["core", "database", "artifact"] },
  inference: {
    level: 2,
    imports: ["core", "onnx", "telemetry"],
    outside: ["src/inference/vendor/ort.mjs"],
  },
  rollout: {
    level: 2,
    imports: ["core", "statistics", "telemetry", "database"],
    doors: { "sync.ts": "the contract between serving process and registry" },
  },
  datacheck: { level: 2, imports: ["core", "dataset"] },
  starter: { level: 2, imports: ["core", "config"] },
  gate: { level: 2, imports: ["core", "dataset", "statistics"] },
  monitor: {
    level: 2,
    imports: ["core", "telemetry", "database"],
    doors: {
      "prediction_log/prediction_recorder.ts":
        "runs in a data isolate, which must load no database",
    },
  },
  deploy: { level: 2, imports: ["core", "config", "kubernetes", "control"] },
  controller: { level: 2, imports: ["core", "kubernetes"] },
  retrain: { level: 2, imports: ["core", "database"] },
  backup: { level: 2, imports: ["core", "database"] },
  api: {
    level: 3,
    imports: [
      "core",
      "mlflow",
      "control",
      "telemetry",
      ...DOMAINS.filter((room) => room !== "train"),
      "retrain",
    ],
    outside: ["hono"],
  },
  serving: {
    level: 3,
    imports: ["core", "inference", "rollout", "monitor", "onnx", "telemetry", "api", "mlflow"],
  },
  web: { level: 3, imports: ["core", "api"] },
  demo: { level: 3, imports: ["core", "dataset", "control"] },
  commands: {
    level: 4,
    imports: [
      ...[
        "core",
        "cli",
        "config",
        "dataset",
        "onnx",
        "statistics",
        "mlflow",
        "control",
        "database",
      ],
      ...["telemetry", ...DOMAINS, "api", "serving", "web", "demo"],
      ...["kubernetes", "controller", "gate", "datacheck", "monitor", "retrain", "starter"],
      "backup",
      "deploy",
    ],
  },
};

/** Test code only: may import every room, and only tests may import it. */
export const TEST_ROOM = "testing";

/** Imported where they are needed: every room may own a schema. */
export const EVERYWHERE: readonly string[] = ["zod"];

/**
 * Entry points of Workers: they may import concrete files of other rooms (not only doors), so that an
 * isolate loads no more than it runs.
 */
export const WORKER_ENTRIES: readonly string[] = ["src/serving/data_isolate.ts"];

/** What runs the rooms; imports their doors only. */
export const ENTRY_POINT = "main.ts";

/** Rooms that the entry point may import. */
export const ENTRY_IMPORTS: readonly string[] = ["core", "cli", "commands"];

/** Built-ins that end up loaded only where they belong; all other `node:` modules are free to use. */
export const GUARDED_BUILTINS: readonly string[] = Object.values(ROOMS)
  .flatMap(({ outside = [] }) => outside)
  .filter((name) => name.startsWith("node:"));
