/**
 * Checks the dashboards as far as that is possible without Grafana's server, which no package repository
 * ships (docs/decisions/0015): their JSON is that of the sources; Grafana's published types accept it;
 * every query has data from a Prometheus that scraped a loaded serin; a picture of each, drawn by
 * Grafana's own components, goes to docs/pictures.
 *
 *     scripts/deno task dashboards:check
 *
 * Needs npm (about 500 MB into .cache), chromium (or CHROMIUM=FILE), and Prometheus.
 */
import { findPrometheus } from "../../tests/prometheus/find_prometheus.ts";
import { checkQueries } from "./check_queries.ts";
import { startLoadedSerin } from "./loaded_serin.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const tools = `${root}.cache/dashboards`;
const NAMES = ["service", "quality", "rollout", "registry"];
const BUNDLE = [
  ...["render.tsx", "--bundle", "--minify", "--outfile=render.js", "--format=iife"],
  ...["--jsx=automatic", "--log-level=error", "--define:global=window"],
  ...["--loader:.svg=dataurl", "--loader:.ttf=dataurl", "--loader:.woff2=dataurl"],
  ...["--loader:.png=dataurl", '--define:process.env.NODE_ENV="production"'],
];

const programs = await findPrometheus();
if ("missing" in programs) fail(programs.missing);
const files = NAMES.map((name) => `${root}dashboards/${name}.json`);
await run("the JSON is that of its sources", Deno.execPath(), [
  ...["run", "--no-config", "--lock=scripts/dashboards/sdk.lock", "--frozen"],
  ...["--node-modules-dir=none", "--check", "--quiet", "-A", "scripts/dashboards/build.ts"],
  "--check",
], root);
await prepareTools();
await run("Grafana's types", "node", ["validate.mjs", ...files], tools);
await run("Grafana's components", "node_modules/.bin/esbuild", BUNDLE, tools);

await using loaded = await startLoadedSerin(
  (programs as { prometheus: string }).prometheus,
  (text) => console.log(`  ${text}`),
);
let queries = 0;
const problems: string[] = [];
for (const name of NAMES) {
  const dashboard = JSON.parse(await Deno.readTextFile(`${root}dashboards/${name}.json`));
  const { prometheusUrl, from } = loaded;
  const checked = await checkQueries({ name, dashboard, prometheusUrl, from: from / 1000 });
  queries += checked.queries;
  problems.push(...checked.problems);
}
console.log(`queries: ${queries} run, ${problems.length} problems`);
for (const problem of problems) console.log(`  ${problem}`);
for (const name of NAMES) {
  const picture = `${root}docs/pictures/dashboard-${name}.png`;
  const file = `${root}dashboards/${name}.json`;
  const args = ["shot.mjs", file, loaded.prometheusUrl, String(loaded.from), picture];
  await run(`picture of ${name}`, "node", args, tools, (text) => problems.push(text));
}
if (problems.length > 0) fail(`${problems.length} problems`);

/** What npm gives, and the programs that use it, in one folder. */
async function prepareTools(): Promise<void> {
  await Deno.mkdir(tools, { recursive: true });
  const before = await Deno.readTextFile(`${tools}/package-lock.json`).catch(() => "");
  for await (const { name } of Deno.readDir(`${root}scripts/dashboards/check`)) {
    await Deno.copyFile(`${root}scripts/dashboards/check/${name}`, `${tools}/${name}`);
  }
  const now = await Deno.readTextFile(`${tools}/package-lock.json`);
  const isThere = await Deno.stat(`${tools}/node_modules/.bin/esbuild`).then(
    () => true,
    () => false,
  );
  if (before === now && isThere) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  await run("npm ci", "npm", args, tools);
}

async function run(
  what: string,
  command: string,
  args: string[],
  cwd: string,
  otherwise: (problem: string) => void = fail,
): Promise<void> {
  console.log(what);
  const { success } = await new Deno.Command(command, { args, cwd }).spawn().status
    .catch((thrown) => fail(`${command}: ${thrown.message}`));
  if (!success) otherwise(`${what}: it has problems`);
}

function fail(why: string): never {
  console.error(`dashboards:check: ${why}`);
  Deno.exit(1);
}
