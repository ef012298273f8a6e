import type { ControlClient } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";
import { CHAMPION, type ModelRegistry } from "../deploy/release/mod.ts";
import { GATE_FORCE_TAG, gateRefusal } from "../gate/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";

/** How many moves of an alias are looked back on. */
const MOVES_MAX = 1000;

/** @returns the registry that a deployment needs, out of MLflow's API and serin's own */
export function joinModelRegistry(mlflow: MlflowClient, control: ControlClient): ModelRegistry {
  return {
    listModels: async () =>
      (await mlflow.models.list()).map(({ name, aliases }) => ({
        name,
        aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
      })),
    checkVersion: (model, version) => checkVersion(mlflow, model, version),
    findRefusal: async (model, version) => {
      const { tags } = await mlflow.models.get(model);
      return gateRefusal(tags, (await mlflow.versions.get(model, version)).tags);
    },
    letThrough: (model, version, reason) =>
      mlflow.versions.setTag(model, version, GATE_FORCE_TAG, reason),
    setAlias: (model, alias, version) => mlflow.models.setAlias(model, alias, version),
    listReplicas: () => control.listReplicas(),
    listRollouts: () => control.listRollouts(),
    abortRollout: async (id) => {
      await control.abortRollout(id);
    },
    listChampionMoves: (model) =>
      control.listAliasChanges(model, { alias: CHAMPION, limit: MOVES_MAX }),
  };
}

/**
 * Looks for the version and the first bytes of its model file: an alias that is moved to a version whose
 * files are gone would leave new replicas with nothing to serve.
 */
async function checkVersion(mlflow: MlflowClient, model: string, version: string): Promise<void> {
  const what = `version ${version} of ${model}`;
  const found = await mlflow.versions.get(model, version);
  if (found.status !== "READY") {
    throw new SerinError("not_found", `Cannot deploy ${what}: it is ${found.status}, not READY`, {
      hint: "wait until it is registered whole, or name another version",
    });
  }
  const uri = await mlflow.versions.getDownloadUri(model, version);
  const files = (await mlflow.artifacts.list(uri)).filter(({ isFolder }) => !isFolder);
  const file = files.find(({ path }) => path.endsWith(".onnx"));
  if (file === undefined) {
    const seen = files.map(({ path }) => path).join(", ") || "none";
    throw new SerinError("not_found", `Cannot deploy ${what}: it has no .onnx file`, {
      hint: `its files: ${seen}; register the version anew, or name another`,
    });
  }
  const reader = (await mlflow.artifacts.download(uri, file.path)).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > 0) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  throw new SerinError("not_found", `Cannot deploy ${what}: its file ${file.path} is empty`, {
    hint: "register the version anew, or name another",
  });
}
