import { messageOf, SerinError, VERSION } from "../core/mod.ts";
import {
  type ManifestSettings,
  manifestSettings,
  renderManifests,
} from "../deploy/manifests/mod.ts";
import {
  type ModelMove,
  type ModelRegistry,
  planMove,
  type WantedModel,
} from "../deploy/release/mod.ts";
import type { KubernetesObject } from "../kubernetes/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import type { DeployReleaseOptions } from "./deploy_options.ts";

/** What the options of `plan` and `apply` say. */
export interface WantedRelease {
  readonly namespace: string;
  readonly objects: readonly KubernetesObject[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly overlay: string;
  readonly serinVersion: string;
  readonly model: WantedModel | undefined;
}

/** @throws {SerinError} `usage` for settings that do not fit and for what is no version of a model */
export function readWantedRelease(options: DeployReleaseOptions): WantedRelease {
  const { overlay = "base", namespace, canary } = options;
  const model = options.model === undefined ? undefined : readModel(options.model, options);
  if (canary && model === undefined) {
    throw new SerinError("usage", "--canary needs --model models:/NAME/VERSION");
  }
  if (options.force !== undefined && model === undefined) {
    throw new SerinError("usage", "--force needs --model models:/NAME/VERSION");
  }
  // A flag that says the same as a setting is no second assignment of it.
  const own = namespace === undefined ? [] : [`namespace=${namespace}`];
  const set = [...options.set.filter((text) => !own.includes(text)), ...own];
  const settings = manifestSettings({ overlay, set });
  return {
    namespace: settings.namespace,
    objects: renderManifests({ overlay, set }),
    settings: recordedSettings(settings),
    overlay,
    serinVersion: VERSION,
    model,
  };
}

/**
 * The settings that a release's record may show. Addresses of webhooks are passwords, as a rule, and
 * nothing that is applied holds them.
 */
function recordedSettings(settings: ManifestSettings): Readonly<Record<string, unknown>> {
  const { pageUrl: _page, ticketUrl: _ticket, ...monitoring } = settings.monitoring;
  return { ...settings, monitoring };
}

/** What deploying the wanted version would do; undefined where none is wanted. */
export async function planWantedModel(
  wanted: WantedModel | undefined,
  openRegistry: () => Promise<ModelRegistry>,
): Promise<ModelMove | undefined> {
  if (wanted === undefined) return undefined;
  try {
    return await planMove(await openRegistry(), wanted);
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    const what = `models:/${wanted.model}/${wanted.version}`;
    throw new SerinError(
      thrown.code,
      `Nothing was applied: cannot deploy ${what}: ${messageOf(thrown)}`,
      {
        hint: thrown.hint ?? "without --model everything else can be applied",
        cause: thrown,
      },
    );
  }
}

function readModel(
  text: string,
  { canary, force }: Pick<DeployReleaseOptions, "canary" | "force">,
): WantedModel {
  const uri = parseModelUri(text);
  if (uri.kind === "version") return { model: uri.model, version: uri.version, canary, force };
  throw new SerinError("usage", `--model must be models:/NAME/VERSION: it is "${text}"`, {
    hint: "a deployment moves an alias to one version: name it by its number",
  });
}
