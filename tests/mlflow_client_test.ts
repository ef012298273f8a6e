/**
 * MLflow's own Python client against `serin registry`: tests/mlflow/flow.py, step by step. Needs
 * python3 with venv, and pip's network at the first run (about 1 GB into the cache); where these are
 * missing the test is ignored and says why. With SERIN_BIN the compiled executable is tested.
 */
import { assertEquals, assertTrue, SerinProcess } from "../src/testing/mod.ts";
import { prepareMlflowPython, skipSuffix } from "./support/mlflow_python.ts";

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** @returns the steps that passed */
async function runFlow(python: string, args: string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  const registry = await SerinProcess.start([
    ...["registry", "--port", "0", "--data", `${folder}/data`, ...args],
  ]);
  try {
    const { code, stdout, stderr } = await new Deno.Command(python, {
      args: [`${ROOT}tests/mlflow/flow.py`, registry.url],
      cwd: folder,
      env: { PYTHONDONTWRITEBYTECODE: "1", NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    const said = `${text}\n${new TextDecoder().decode(stderr)}`;
    assertTrue(code === 0, `a step failed:\n${said.slice(-8000)}`);
    return [...text.matchAll(/^ok (\S+)$/gm)].map(([, name]) => name);
  } finally {
    await registry.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const prepared = await prepareMlflowPython();
const ignore = "missing" in prepared;
const python = "python" in prepared ? prepared.python : "";

Deno.test({
  name: `MLflow's client: files through the server${skipSuffix(prepared)}`,
  ignore,
  fn: async () => {
    const passed = await runFlow(python, []);
    assertEquals(passed.length, 19);
  },
});

Deno.test({
  name: `MLflow's client: a fixed artifact root, which it writes to itself${skipSuffix(prepared)}`,
  ignore,
  fn: async () => {
    const root = await Deno.makeTempDir();
    const passed = await runFlow(python, ["--default-artifact-root", root]);
    assertEquals(passed.length, 19);
    await Deno.remove(root, { recursive: true });
  },
});
