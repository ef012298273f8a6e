/** A real Prometheus with serin's rules, a real Alertmanager with its routes, and who is told. */
import { formatYaml } from "../../src/config/mod.ts";
import { manifestSettings } from "../../src/deploy/mod.ts";
import {
  alertmanagerConfig,
  RULE_TIMES,
  ruleFile,
  type RuleTimes,
} from "../../src/deploy/monitoring/mod.ts";
import { parseWebhook } from "../../src/retrain/mod.ts";
import { freePort, until } from "../../src/testing/mod.ts";
import type { Workbench } from "../support/workbench.ts";
import type { AlertmanagerPrograms, PrometheusPrograms } from "./find_prometheus.ts";
import { StartedProcess } from "./started_process.ts";

/** An alert as a webhook tells it. */
export interface ToldAlert {
  /** The path that it came to: `page`, `ticket`, `retrain`. */
  readonly to: string;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What {@linkcode startAlerting} started. */
export interface Alerting extends AsyncDisposable {
  readonly prometheusUrl: string;
  /** Everything that was told so far. */
  readonly told: readonly ToldAlert[];
  /** Waits until an alert was told. */
  waitFor(to: string, name: string, status?: ToldAlert["status"]): Promise<ToldAlert>;
  /** Whether Prometheus fires an alert, told or inhibited; of any model, or of one. */
  isFiring(name: string, model?: string): Promise<boolean>;
  /** Values of a query, now. */
  query(text: string): Promise<number[]>;
}

/** What {@linkcode startAlerting} watches, and who hears of it. */
export interface AlertingOptions {
  /** Metrics pages by job. */
  readonly targets?: Readonly<Record<string, string>>;
  /** Further scrape configurations, as they are. */
  readonly scrapeConfigs?: readonly unknown[];
  /** Lengths of time of the same rules that every installation has, shortened. */
  readonly times: Partial<RuleTimes>;
  /** What retrains, and a file with the token that it wants; default one that only listens. */
  readonly retrain?: { readonly url: string; readonly tokenFile?: string };
}

/** @param programs paths of Prometheus and Alertmanager */
export async function startAlerting(
  programs: Pick<PrometheusPrograms & AlertmanagerPrograms, "prometheus" | "alertmanager" | "cwd">,
  bench: Pick<Workbench, "path" | "write">,
  { targets = {}, scrapeConfigs = [], times, retrain }: AlertingOptions,
): Promise<Alerting> {
  await using stack = new AsyncDisposableStack();
  const told: ToldAlert[] = [];
  const receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const to = new URL(request.url).pathname.slice(1);
      const body = await request.json();
      // What retrains takes it as it is.
      if (to === "retrain") parseWebhook(body);
      const { alerts } = body;
      told.push(...alerts.map((alert: ToldAlert) => ({ ...alert, to })));
      return new Response();
    },
  );
  stack.defer(() => receiver.shutdown());
  const receiverUrl = `http://127.0.0.1:${receiver.addr.port}`;
  const alertmanager = stack.use(
    await startAlertmanager(programs, bench, { receiverUrl, retrain }),
  );
  const rules = ruleFile({
    settings: manifestSettings().monitoring,
    times: { ...RULE_TIMES, ...times },
  });
  const prometheus = stack.use(
    await startPrometheus(programs.prometheus, bench, {
      rules,
      targets,
      scrapeConfigs,
      alertmanager,
    }),
  );
  const query = async (text: string): Promise<number[]> => {
    const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(text)}`;
    const { data } = await (await fetch(url)).json();
    return data.result.map(({ value }: { value: [number, string] }) => Number(value[1]));
  };
  const owned = stack.move();
  return {
    prometheusUrl: prometheus.url,
    told,
    query,
    isFiring: async (name, model) => {
      const about = model === undefined ? "" : `,model="${model}"`;
      return (await query(`ALERTS{alertname="${name}",alertstate="firing"${about}}`)).length > 0;
    },
    waitFor: (to, name, status = "firing") =>
      until(
        `${name} is told to ${to} as ${status}`,
        () =>
          told.find((alert) =>
            alert.to === to && alert.labels.alertname === name && alert.status === status
          ),
        60_000,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startAlertmanager(
  { alertmanager, cwd }: Pick<AlertmanagerPrograms, "alertmanager" | "cwd">,
  bench: Pick<Workbench, "path" | "write">,
  to: { receiverUrl: string; retrain: AlertingOptions["retrain"] },
) {
  const urls = ["page", "ticket", "retrain"].map((path) => `${to.receiverUrl}/${path}`);
  const [pageUrl, ticketUrl, listening] = urls;
  const retrainUrl = to.retrain?.url ?? listening, retrainTokenFile = to.retrain?.tokenFile;
  const waits = { pageWait: "1s", ticketWait: "1s", retrainWait: "1s" };
  const config = alertmanagerConfig({ pageUrl, ticketUrl, retrainUrl, retrainTokenFile }, waits);
  const file = await bench.write("alertmanager.yml", formatYaml([config]));
  const address = `127.0.0.1:${freePort()}`;
  const process = new StartedProcess(alertmanager, [
    `--config.file=${file}`,
    `--storage.path=${bench.path("alertmanager")}`,
    `--web.listen-address=${address}`,
    // Without it, it gossips on all addresses.
    "--cluster.listen-address=",
  ], { cwd });
  await process.waitFor(/msg="?Listening/);
  return { address, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

async function startPrometheus(
  program: string,
  bench: Pick<Workbench, "path" | "write">,
  { rules, targets, scrapeConfigs, alertmanager }: {
    rules: unknown;
    targets: Readonly<Record<string, string>>;
    scrapeConfigs: readonly unknown[];
    alertmanager: { address: string };
  },
) {
  await bench.write("rules.yml", formatYaml([rules]));
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: ["rules.yml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] },
    scrape_configs: [
      ...Object.entries(targets).map(([job_name, url]) => ({
        job_name,
        static_configs: [{ targets: [new URL(url).host], labels: { namespace: "serin" } }],
      })),
      ...scrapeConfigs,
    ],
  };
  const file = await bench.write("prometheus.yml", formatYaml([config]));
  const address = `127.0.0.1:${freePort()}`;
  const process = new StartedProcess(program, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${bench.path("tsdb")}`,
    `--web.listen-address=${address}`,
  ]);
  await process.waitFor(/Server is ready to receive web requests/);
  return { url: `http://${address}`, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}
