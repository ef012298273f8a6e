/**
 * A real Prometheus scrapes the admin port of a real `serin serve`: what it stored is what was sent, and
 * `promtool check metrics` has nothing to say about the page.
 */
import {
  assertEquals,
  assertTrue,
  freePort,
  linearModel,
  SerinProcess,
  until,
} from "../src/testing/mod.ts";
import { checkMetrics } from "./prometheus/check_metrics.ts";
import { findPrometheus } from "./prometheus/find_prometheus.ts";
import { StartedProcess } from "./prometheus/started_process.ts";

const REQUESTS = 300;
const REFUSED = 20;
const CONCURRENCY = 8;

const programs = await findPrometheus();
const missing = "missing" in programs ? programs.missing : undefined;

Deno.test({
  name: "Prometheus scrapes what serve counted" + (missing ? ` (skipped: ${missing})` : ""),
  ignore: missing !== undefined,
  async fn(t) {
    if ("missing" in programs) return;
    const folder = await Deno.makeTempDir();
    try {
      await using serve = await startServe(folder);
      await t.step("requests of both kinds are answered", () => sendAll(serve.url));
      await t.step("promtool check metrics is silent", async () => {
        const text = await (await fetch(`${serve.adminUrl}/metrics`)).text();
        assertEquals(await checkMetrics(programs.promtool, text), { code: 0, output: "" });
      });
      await t.step("Prometheus stores the number that was sent", async () => {
        await using prometheus = await startPrometheus(programs.prometheus, folder, serve.adminUrl);
        await until("the count arrives", async () => {
          return await queryValue(prometheus.url, "serin_inference_requests_total") === REQUESTS;
        });
        const labelled = 'serin_inference_requests_total{model="linear",job="serin"}';
        assertEquals(await queryValue(prometheus.url, labelled), REQUESTS);
        assertEquals(await queryValue(prometheus.url, 'up{job="serin"}'), 1);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function startServe(folder: string): Promise<SerinProcess> {
  await Deno.mkdir(`${folder}/linear`);
  await Deno.writeFile(`${folder}/linear/model.onnx`, linearModel());
  const serve = await SerinProcess.start([
    ...["serve", `${folder}/linear`, "--host", "127.0.0.1", "--port", "0", "--admin-port", "0"],
    ...["--cache", `${folder}/cache`],
  ]);
  await until("the model is ready", async () => {
    const answer = await fetch(`${serve.url}/v2/models/linear/ready`);
    await answer.body?.cancel();
    return answer.ok;
  });
  return serve;
}

/** Sends good requests, and some that are the caller's fault and count for no version. */
async function sendAll(url: string): Promise<void> {
  let next = 0;
  const sendMany = async () => {
    while (next < REQUESTS + REFUSED) {
      const isGood = next++ < REQUESTS;
      const answer = await fetch(`${url}/v2/models/linear/infer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: isGood ? [column("a"), column("b")] : [column("a")] }),
      });
      const text = await answer.text();
      assertTrue(isGood ? answer.ok : answer.status === 400, `${answer.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sendMany));
}

function column(name: string): Record<string, unknown> {
  return { name, datatype: "FP32", shape: [1, 1], data: [0.25] };
}

async function startPrometheus(
  program: string,
  folder: string,
  adminUrl: string,
): Promise<{ url: string } & AsyncDisposable> {
  const address = `127.0.0.1:${freePort()}`;
  const config = `${folder}/prometheus.yml`;
  await Deno.writeTextFile(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: serin
    static_configs: [{ targets: ["${new URL(adminUrl).host}"] }]
`,
  );
  const prometheus = new StartedProcess(program, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/tsdb`,
    `--web.listen-address=${address}`,
  ]);
  await prometheus.waitFor(/Server is ready to receive web requests/);
  const url = `http://${address}`;
  return { url, [Symbol.asyncDispose]: () => prometheus[Symbol.asyncDispose]() };
}

async function queryValue(url: string, query: string): Promise<number | undefined> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = await answer.json();
  assertTrue(data.result.length <= 1, `one series was expected: ${JSON.stringify(data.result)}`);
  return data.result.length === 0 ? undefined : Number(data.result[0].value[1]);
}
