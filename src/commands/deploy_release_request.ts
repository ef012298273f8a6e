import { messageOf, SerinError, VERSION } from "../core/mod.ts";
import {
  type ManifestSettings,
  manifestSettings,
  renderManifests,
} from "../deploy/manifests/mod.ts";
import {
  type ModelMove,
  type ModelRegistry,
  openReleaseStore,
  planMove,
  type Release,
  type WantedModel,
} from "../deploy/release/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../kubernetes/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { DEFAULT_NAMESPACE, type DeployReleaseOptions } from "./deploy_options.ts";

/** What the options of `plan` and `apply` say. */
export interface WantedRelease {
  readonly namespace: string;
  readonly objects: readonly KubernetesObject[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly overlay: string;
  readonly serinVersion: string;
  readonly model: WantedModel | undefined;
}

/**
 * @param openCluster asked only where the settings of a release are to be kept
 * @throws {SerinError} `usage` for settings that do not fit and for what is no version of a model;
 *   `not_found` where there is no release whose settings could be kept
 */
export async function readWantedRelease(
  options: DeployReleaseOptions,
  openCluster: () => Promise<KubernetesClient>,
): Promise<WantedRelease> {
  const { namespace, canary } = options;
  if (options.keepSettings && options.overlay !== undefined) {
    throw new SerinError("usage", "--keep-settings stands in the place of --overlay: give one", {
      hint: "a release was made of an overlay and settings: all of them are kept",
    });
  }
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
  const release = options.keepSettings
    ? await newestHealthy(await openCluster(), namespace ?? DEFAULT_NAMESPACE)
    : undefined;
  const overlay = release?.overlay ?? options.overlay ?? "base";
  const base = release === undefined ? { overlay: options.overlay } : { kept: release.settings };
  const settings = manifestSettings({ ...base, set });
  return {
    namespace: settings.namespace,
    objects: renderManifests({ ...base, set }),
    settings: recordedSettings(settings),
    overlay,
    serinVersion: VERSION,
    model,
  };
}

async function newestHealthy(client: KubernetesClient, namespace: string): Promise<Release> {
  const releases = await openReleaseStore(client, namespace).list();
  const found = releases.find(({ outcome }) => outcome === "healthy");
  if (found !== undefined) return found;
  throw new SerinError(
    "not_found",
    `Namespace ${namespace} has no healthy release whose settings could be kept`,
    { hint: "give --overlay and --set; `serin deploy history` lists the releases that there are" },
  );
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
