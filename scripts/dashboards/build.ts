/**
 * Writes `dashboards/*.json` from their typed sources, or with `--check` says whether they are those of
 * the sources:
 *
 *     scripts/deno task dashboards [--check]
 *
 * Grafana's builders (11 MB) have a lock of their own, `sdk.lock`: serin itself does not use them.
 */
import { quality } from "./quality.ts";
import { registry } from "./registry.ts";
import { rollout } from "./rollout.ts";
import { service } from "./service.ts";

const folder = new URL("../../dashboards/", import.meta.url);
const isCheck = Deno.args.includes("--check");
const stale: string[] = [];
for (const [name, built] of Object.entries({ service, quality, rollout, registry })) {
  const file = new URL(`${name}.json`, folder);
  const text = `${JSON.stringify(built, undefined, 2)}\n`;
  if (await Deno.readTextFile(file).catch(() => "") === text) continue;
  if (isCheck) stale.push(`dashboards/${name}.json`);
  else await Deno.writeTextFile(file, text);
}
if (stale.length > 0) {
  console.error(`not those of scripts/dashboards: ${stale.join(", ")}`);
  console.error("hint: scripts/deno task dashboards");
  Deno.exit(1);
}
