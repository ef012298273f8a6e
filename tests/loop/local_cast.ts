/** The cast of the operating loop as processes of this machine. */
import { readReplayRows } from "../../src/demo/mod.ts";
import { type TestRegistry, until } from "../../src/testing/mod.ts";
import { startAlerting } from "../prometheus/alerting_stack.ts";
import type { AlertmanagerPrograms, PrometheusPrograms } from "../prometheus/find_prometheus.ts";
import { ask, Workbench } from "../support/workbench.ts";
import { Callers } from "./callers.ts";
import { GATE, type LoopCast, retrainYaml, ROWS, TIMES } from "./stations.ts";

const MODEL = "electricity";
const PLAN = {
  warmupSeconds: 2,
  steps: [{ share: 0.1, seconds: 2 }, { share: 0.25, seconds: 2 }, { share: 0.5, seconds: 2 }],
  holdSeconds: 120,
};

/** A registry, a server, Prometheus, Alertmanager, callers, and what retrains. */
export async function openLocalCast(
  programs: PrometheusPrograms & AlertmanagerPrograms,
): Promise<LoopCast & { readonly opened: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await Workbench.open());
  const { api, process: registry } = await bench.registry();
  const error = await trainFirst(bench, api);
  const served = await bench.serve([
    ...["--registry", registry.url, "--model", `models:/${MODEL}@champion`],
    ...["--prediction-log", bench.path("log")],
  ]);
  await bench.write("retrain.yaml", retrainYaml(MODEL, "prediction_log: [log], "));
  await bench.write("gate.yaml", GATE);
  const retrain = await bench.start(
    ...["retrain", "serve", "--registry", registry.url, "--spec", "retrain.yaml"],
    ...["--data", "retrain", "--port", "0"],
  );
  const targets = { registry: registry.url, serving: served.adminUrl, retrain: retrain.url };
  const alerting = stack.use(
    await startAlerting(programs, bench, {
      targets,
      times: TIMES,
      retrain: { url: `${retrain.url}/v1/alerts` },
    }),
  );
  const rows = (await readReplayRows(ROWS[0])).slice(0, ROWS[1] - ROWS[0]);
  const callers = stack.use(new Callers(served.url, MODEL, rows));
  const owned = stack.move();
  return {
    ...{ model: MODEL, champion: "1", callers, alerting },
    opened: `version 1, ${(100 * error).toFixed(1)} % wrong on its test rows`,
    registry: (path) => api.call("GET", path),
    retrain: async (path) => (await ask(`${retrain.url}/api/serin/v1/${path}`)).json,
    retrainMetrics: async () => (await ask(`${retrain.url}/metrics`)).text,
    servingMetrics: async () => [await served.metrics()],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @returns the error of version 1 on the test rows of its training */
async function trainFirst(bench: Workbench, api: TestRegistry): Promise<number> {
  const data = decodeURIComponent(new URL("../../data/elec2.csv", import.meta.url).pathname);
  const { code, stderr, stdout } = await bench.run(
    ...["train", "--data", data, "--target", "target", "--rows", ROWS.join("-"), "--json"],
    ...["--out", "first", "--registry", api.url, "--register", MODEL],
  );
  if (code !== 0) throw new Error(stderr);
  await api.client.models.setTag(MODEL, "serin.rollout_plan", JSON.stringify(PLAN));
  await api.client.models.setAlias(MODEL, "champion", "1");
  await until("it is champion", () => api.client.models.findByAlias(MODEL, "champion"));
  return 1 - JSON.parse(stdout).metrics.accuracy;
}
