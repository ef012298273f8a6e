import { formatYaml } from "../config/mod.ts";
import { SerinError } from "../core/mod.ts";
import { gateSpec, rolloutSpec, type SpecFile, trainSpec } from "./model_specs.ts";
import { modelWorkflow } from "./model_workflow.ts";
import { readmeText } from "./readme_text.ts";
import { sampleTable } from "./sample_data.ts";
import { setupAction } from "./setup_action.ts";

const TRAIN_ROWS = 4000;
const HOLDOUT_ROWS = 3000;
/** Names that need no quotes in a shell, a URL or YAML. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;

const GITIGNORE = ["/model/", "/serin-data/", "/verdict.json", "/*.xml", "*.tmp", ""].join("\n");

const encoder = new TextEncoder();

/** What a repository is made for. */
export interface ModelRepositoryOptions {
  /** The registered model's name. */
  readonly model: string;
}

/**
 * The files of a model repository, the same for the same name: data to begin with, what trains, judges
 * and rolls out, and the workflow that does it.
 *
 * @returns contents by paths
 * @throws {SerinError} `usage` for a name that would need quotes somewhere
 *
 * @example The workflow of a model
 * ```ts
 * import { modelRepository } from "./mod.ts";
 * const files = modelRepository({ model: "parcels" });
 * const workflow = new TextDecoder().decode(files.get(".github/workflows/model.yml"));
 * console.assert(workflow.includes("MODEL: parcels"));
 * ```
 */
export function modelRepository({ model }: ModelRepositoryOptions): Map<string, Uint8Array> {
  if (!NAME.test(model)) {
    throw new SerinError("usage", `"${model}" cannot be the model's name here`, {
      hint: "name one with --model: letters, digits, - and _, a letter first",
    });
  }
  const workflow = ["Made by `serin init`; yours to change. Every step is one command of serin."];
  const texts: Record<string, string> = {
    "README.md": readmeText(model),
    ".gitignore": GITIGNORE,
    "data/train.csv": sampleTable(TRAIN_ROWS, 1),
    "data/holdout.csv": sampleTable(HOLDOUT_ROWS, 2),
    "train.yaml": specText(trainSpec(model)),
    "gate.yaml": specText(gateSpec()),
    "rollout.yaml": specText(rolloutSpec()),
    ".github/workflows/model.yml": formatYaml([modelWorkflow(model)], workflow),
    ".github/actions/setup-serin/action.yml": formatYaml([setupAction()]),
  };
  return new Map(Object.entries(texts).map(([path, text]) => [path, encoder.encode(text)]));
}

function specText({ header, content }: SpecFile): string {
  return formatYaml([content], header);
}
