import { assertEquals, assertIncludes, assertTrue, until } from "../testing/mod.ts";

/** Runs the command in a process of its own, as a user does. */
function startRegistry(...args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.resolve("../../main.ts"), "registry", ...args],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  return { child, lines };
}

async function readAll(lines: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await lines.read();
    if (done) return text;
    text += value;
  }
}

/** Waits for the line that says where it listens. */
async function urlOf(lines: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await lines.read();
    if (done) throw new Error(`the registry did not start: ${text}`);
    text += value;
    const url = /listening on (http:\S+)/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
}

async function post(url: string, path: string, body: unknown) {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

/** What a server has acknowledged. */
interface Acknowledged {
  readonly steps: number[];
  readonly files: string[];
}

/** Logs and uploads until the server is gone. */
async function logUntilCut(url: string, runId: string, acknowledged: Acknowledged): Promise<void> {
  const metrics = async () => {
    for (let step = 0;; step++) {
      await post(url, "runs/log-batch", {
        run_id: runId,
        metrics: [{ key: "m", value: step, timestamp: step, step }],
        params: [{ key: `p${step}`, value: "x" }],
      });
      acknowledged.steps.push(step);
    }
  };
  const files = async () => {
    for (let i = 0;; i++) {
      const path = `0/${runId}/artifacts/f${i}`;
      const body = `${i}`.repeat(10_000);
      const put = `${url}/api/2.0/mlflow-artifacts/artifacts/${path}`;
      const response = await fetch(put, { method: "PUT", body });
      await response.body?.cancel();
      acknowledged.files.push(path);
    }
  };
  await Promise.allSettled([metrics(), files()]);
}

Deno.test("kill -9 in the middle loses nothing that was acknowledged", async () => {
  const folder = await Deno.makeTempDir();
  const args = ["--port", "0", "--data", `${folder}/data`];
  const first = startRegistry(...args);
  const url = await urlOf(first.lines);
  const { run } = await post(url, "runs/create", { experiment_id: "0" });
  const runId = run.info.run_id;
  const acknowledged: Acknowledged = { steps: [], files: [] };
  const logging = logUntilCut(url, runId, acknowledged);
  await until(
    "both are under way",
    () => acknowledged.steps.length > 30 && acknowledged.files.length > 30,
  );
  first.child.kill("SIGKILL");
  await first.child.status;
  await first.lines.cancel();
  await logging;

  const second = startRegistry(...args);
  const again = await urlOf(second.lines);
  const history = await fetch(
    `${again}/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=m`,
  ).then((response) => response.json());
  const steps = new Set(history.metrics.map(({ step }: { step: number }) => step));
  for (const step of acknowledged.steps) assertTrue(steps.has(step), `step ${step} is lost`);
  for (const path of acknowledged.files) {
    const response = await fetch(`${again}/api/2.0/mlflow-artifacts/artifacts/${path}`);
    const expected = path.slice(path.lastIndexOf("f") + 1).repeat(10_000);
    assertEquals(await response.text(), expected, path);
  }
  second.child.kill("SIGTERM");
  assertEquals((await second.child.status).code, 0);
  await second.lines.cancel();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a taken port and a taken folder are named, and the exit code says it failed", async () => {
  const folder = await Deno.makeTempDir();
  const first = startRegistry("--port", "0", "--data", `${folder}/a`);
  const port = new URL(await urlOf(first.lines)).port;
  const samePort = startRegistry("--port", port, "--data", `${folder}/b`);
  assertEquals((await samePort.child.status).code, 1);
  const portText = await readAll(samePort.lines);
  assertIncludes(portText, `127.0.0.1:${port}`);
  assertIncludes(portText, "--port");
  const sameFolder = startRegistry("--port", "0", "--data", `${folder}/a`);
  assertEquals((await sameFolder.child.status).code, 1);
  assertIncludes(await readAll(sameFolder.lines), `${folder}/a: another process is using it`);
  first.child.kill("SIGTERM");
  assertEquals((await first.child.status).code, 0);
  await first.lines.cancel();
  await Deno.remove(folder, { recursive: true });
});

const isRoot = Deno.uid() === 0;

Deno.test({
  name: "a read-only data folder is refused with a way out" +
    (isRoot ? " (skipped: root writes everywhere)" : ""),
  ignore: isRoot,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    await Deno.chmod(folder, 0o555);
    const registry = startRegistry("--port", "0", "--data", folder);
    assertEquals((await registry.child.status).code, 1);
    assertIncludes(await readAll(registry.lines), "--data");
    await Deno.chmod(folder, 0o755);
    await Deno.remove(folder, { recursive: true });
  },
});
