/** The environment that checks and tests run in: nothing leaks in, nothing is left outside the clone. */

/** Variables of serin's own that say where the toolchain is; all other `SERIN_…` are a user's. */
const KEPT = ["SERIN_ROOT", "SERIN_DENO_DIR", "SERIN_LAB", "SERIN_LAB_PREBUILT", "SERIN_CLUSTER"];
/** They would change what tests see, or point them at a user's servers and accounts. */
const DROPPED = /^(SERIN|MLFLOW|OTEL|AWS|AZURE|GOOGLE|KUBE|DATABRICKS|PG)_?[A-Z0-9_]*$/;
/** Kept although their names look like the dropped: certificates of a proxy. */
const CERTIFICATES = /_CA_(BUNDLE|CERTS|FILE)$/;

/** An environment, and how to tidy it away. */
export interface PrivateEnvironment {
  readonly variables: Record<string, string>;
  remove(): Promise<void>;
}

/**
 * HOME and TMPDIR become folders of the clone; the user's settings of pip and npm (mirrors, proxies)
 * stay in force by being named.
 *
 * @param root the clone, with a slash at its end
 * @param extra variables to add
 */
export async function privateEnvironment(
  root: string,
  extra: Record<string, string>,
): Promise<PrivateEnvironment> {
  const outer = Deno.env.toObject();
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(outer)) {
    const dropped = DROPPED.test(name) && !KEPT.includes(name) && !CERTIFICATES.test(name);
    if (!dropped) variables[name] = value;
  }
  // A cluster of the user's is used when they say so, never because one happens to be set.
  if (outer.SERIN_CLUSTER === "existing" && outer.KUBECONFIG !== undefined) {
    variables.KUBECONFIG = outer.KUBECONFIG;
  }
  // Its traces would bury the messages of failed steps.
  delete variables.RUST_BACKTRACE;
  const home = `${root}.cache/home`;
  await Deno.mkdir(home, { recursive: true });
  await Deno.mkdir(`${root}.cache/tmp`, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: `${root}.cache/tmp` });
  Object.assign(variables, await packageSettings(outer.HOME), {
    HOME: home,
    TMPDIR: temporary,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_STATE_HOME: `${home}/.local/state`,
    NO_COLOR: "1",
    ...extra,
  });
  return { variables, remove: () => Deno.remove(temporary, { recursive: true }).catch(() => {}) };
}

async function packageSettings(home: string | undefined): Promise<Record<string, string>> {
  if (!home) return {};
  const settings: Record<string, string> = {};
  const candidates = [
    ["npm_config_userconfig", `${home}/.npmrc`],
    ["PIP_CONFIG_FILE", `${home}/.pip/pip.conf`],
    ["PIP_CONFIG_FILE", `${home}/.config/pip/pip.conf`],
  ];
  for (const [name, path] of candidates) {
    const isThere = await Deno.stat(path).then(() => true, () => false);
    if (isThere && Deno.env.get(name) === undefined) settings[name] = path;
  }
  return settings;
}
