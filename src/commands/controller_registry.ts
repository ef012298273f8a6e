import type { ControlClient } from "../control/mod.ts";
import type { RegistryPort } from "../controller/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";

/** The registry as the controller needs it: MLflow's API and serin's own, of one server. */
export function toRegistryPort(client: MlflowClient, control: ControlClient): RegistryPort {
  return {
    listModels: async () =>
      (await client.models.list()).map(({ name, aliases, tags }) => ({
        name,
        aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
        tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
      })),
    listRollouts: () => control.listRollouts(),
    getRollout: (id) => control.getRollout(id),
    setModelTag: (model, key, value) => client.models.setTag(model, key, value),
  };
}
