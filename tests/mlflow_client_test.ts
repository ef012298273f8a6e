/**
 * MLflow's own Python client against `serin registry`: tests/mlflow/flow.py, step by step. Needs
 * python3 with venv, and pip's network at the first run (about 1 GB into the cache); where these are
 * missing the test is ignored and says why. With SERIN_BIN the compiled executable is tested.
 */
import { assertEquals, assertTrue } from "../src/testing/mod.ts";
import { sha256Hex } from "../src/core/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const REQUIREMENTS = `${ROOT}tests/mlflow/requirements.txt`;
const CACHE = Deno.env.get("SERIN_TEST_CACHE") ?? `${ROOT}.cache`;

/** @returns the venv's python, or why there is none */
async function preparePython(): Promise<{ python: string } | { missing: string }> {
  const venv = `${CACHE}/venv-mlflow`;
  const python = `${venv}/bin/python`;
  const wanted = sha256Hex(await Deno.readTextFile(REQUIREMENTS));
  const stamp = `${venv}/requirements.sha256`;
  const found = await Deno.readTextFile(stamp).catch(() => "");
  if (found === wanted) return { python };
  await Deno.mkdir(CACHE, { recursive: true });
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", venv]],
    [python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]],
  ];
  for (const [command, args] of steps) {
    const problem = await runOrSay(command, args);
    if (problem !== undefined) return { missing: problem };
  }
  await Deno.writeTextFile(stamp, wanted);
  return { python };
}

/** @returns what went wrong, or undefined */
async function runOrSay(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(command, {
      args,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const text = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    return `${command} ${args.join(" ")} failed: ${text}`;
  } catch (cause) {
    return `${command} cannot be run: ${cause instanceof Error ? cause.message : cause}`;
  }
}

/** Starts the registry on a free port. */
async function startRegistry(...args: string[]) {
  const binary = Deno.env.get("SERIN_BIN");
  const command = binary ?? Deno.execPath();
  const before = binary === undefined ? ["run", "-A", `${ROOT}main.ts`] : [];
  const child = new Deno.Command(command, {
    args: [...before, "registry", "--port", "0", ...args],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await lines.read();
    if (done) throw new Error(`the registry did not start: ${text}`);
    text += value;
    const url = /listening on (http:\S+)/.exec(text)?.[1];
    if (url !== undefined) return { url, child, lines };
  }
}

/** @returns the steps that passed */
async function runFlow(python: string, args: string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  const registry = await startRegistry("--data", `${folder}/data`, ...args);
  // Log lines must not fill the pipe.
  const drained = (async () => {
    while (!(await registry.lines.read()).done);
  })();
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
    registry.child.kill("SIGTERM");
    await registry.child.status;
    await drained;
    await Deno.remove(folder, { recursive: true });
  }
}

const prepared = await preparePython();
const ignore = "missing" in prepared;
if ("missing" in prepared) {
  console.log(`tests/mlflow_client_test.ts is ignored: ${prepared.missing}`);
}
const python = "python" in prepared ? prepared.python : "";

Deno.test({
  name: "MLflow's client: files through the server",
  ignore,
  fn: async () => {
    const passed = await runFlow(python, []);
    assertEquals(passed.length, 19);
  },
});

Deno.test({
  name: "MLflow's client: a fixed artifact root, which it writes to itself",
  ignore,
  fn: async () => {
    const root = await Deno.makeTempDir();
    const passed = await runFlow(python, ["--default-artifact-root", root]);
    assertEquals(passed.length, 19);
    await Deno.remove(root, { recursive: true });
  },
});
