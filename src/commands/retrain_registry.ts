import { messageOf, SerinError } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import type { RetrainRegistry } from "../retrain/mod.ts";

/** What the registry calls the labels that it has counted. */
const LABELS_METRIC = "serin_labelled_rows_total";
const METRICS_MS_MAX = 10_000;

/** The registry as retraining sees it. */
export function toRetrainRegistry(
  client: MlflowClient,
  { baseUrl, fetch = globalThis.fetch }: { baseUrl: string; fetch?: typeof globalThis.fetch },
): RetrainRegistry {
  const newestVersion = async (model: string) => {
    const found = await orMissing(() => client.models.get(model));
    const numbers = found?.latest_versions.map(({ version }) => Number(version)) ?? [];
    return Math.max(0, ...numbers);
  };
  return {
    newestVersion,
    async look({ model, champion, challenger }) {
      const [labels, found] = await Promise.all([
        readMetrics(baseUrl, fetch).then((text) => labelsOf(text, model)),
        orMissing(() => client.models.get(model)),
      ]);
      const versionOf = (name: string) =>
        found?.aliases.find(({ alias }) => alias === name)?.version;
      return { labels, champion: versionOf(champion), challenger: versionOf(challenger) };
    },
    setAlias: (model, alias, version) => client.models.setAlias(model, alias, version),
    async findVersionOf(model, runId, after) {
      const newest = await newestVersion(model);
      for (let number = after + 1; number <= newest; number++) {
        const version = await orMissing(() => client.versions.get(model, String(number)));
        if (version?.run_id === runId) return version.version;
      }
      return undefined;
    },
  };
}

async function orMissing<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (thrown) {
    if (thrown instanceof SerinError && thrown.code === "not_found") return undefined;
    throw thrown;
  }
}

async function readMetrics(baseUrl: string, fetch: typeof globalThis.fetch): Promise<string> {
  const url = `${baseUrl.replace(/\/+$/, "")}/metrics`;
  let answer: Response, text: string;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(METRICS_MS_MAX) });
    text = await answer.text();
  } catch (cause) {
    throw new SerinError("unavailable", `Cannot reach ${url}: ${messageOf(cause)}`, {
      hint: "check that the registry runs and that the address is right",
      cause,
    });
  }
  if (answer.ok && text.includes("serin_build_info")) return text;
  throw new SerinError("unavailable", `${url} answered ${answer.status}, and not as serin does`, {
    hint: "retraining needs a serin registry: another MLflow server counts no labels",
  });
}

/** @returns the labels of all versions of a model, of a page in Prometheus' text format */
export function labelsOf(metrics: string, model: string): number {
  let sum = 0;
  for (const line of metrics.split("\n")) {
    const found = /^(\w+)\{(.*)\} (\S+)$/.exec(line);
    if (found === null || found[1] !== LABELS_METRIC) continue;
    const name = /(?:^|,)model="((?:[^"\\]|\\.)*)"/.exec(found[2])?.[1];
    if (name !== undefined && unescape(name) === model) sum += Number(found[3]);
  }
  return sum;
}

function unescape(label: string): string {
  return label.replace(/\\(.)/g, (_, one: string) => one === "n" ? "\n" : one);
}
