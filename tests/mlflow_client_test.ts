/**
 * MLflow's own Python client against `serin registry`: tests/mlflow/flow.py, step by step. Needs
 * python3 with venv, and pip's network at the first run (about 1 GB into the cache); where these are
 * missing the test is ignored and says why. With SERIN_BIN the compiled executable is tested.
 */
import { assertEquals, assertTrue, SerinProcess } from "../src/testing/mod.ts";
import { prepareMlflowPython, skipSuffix } from "./support/mlflow_python.ts";

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

interface Flow {
  readonly args?: string[];
  /** Of the client. */
  readonly env?: Record<string, string>;
  readonly script?: string;
}

/** @returns the steps that passed */
async function runFlow(python: string, { args = [], env, script }: Flow): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  const registry = await SerinProcess.start([
    ...["registry", "--port", "0", "--data", `${folder}/data`, ...args],
  ]);
  try {
    const { code, stdout, stderr } = await new Deno.Command(python, {
      args: [
        `${ROOT}tests/mlflow/${script ?? "flow.py"}`,
        registry.url.replace("//0.0.0.0", "//127.0.0.1"),
      ],
      cwd: folder,
      env: {
        PYTHONDONTWRITEBYTECODE: "1",
        NO_PROXY: "127.0.0.1",
        no_proxy: "127.0.0.1",
        ...env,
      },
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
    const passed = await runFlow(python, {});
    assertEquals(passed.length, 19);
  },
});

Deno.test({
  name: `MLflow's client: a fixed artifact root, which it writes to itself${skipSuffix(prepared)}`,
  ignore,
  fn: async () => {
    const root = await Deno.makeTempDir();
    const passed = await runFlow(python, { args: ["--default-artifact-root", root] });
    assertEquals(passed.length, 19);
    await Deno.remove(root, { recursive: true });
  },
});

const ADMIN = "admin-token-0123456789";
const REPLICA = "replica-token-0123456789";

/** A registry that others reach, which wants these tokens. */
async function withTokens(test: (args: string[]) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/admin`, `${ADMIN}\n`);
  await Deno.writeTextFile(`${folder}/replica`, `${REPLICA}\n`);
  const files = [
    ...["--admin-token-file", `${folder}/admin`, "--replica-token-file", `${folder}/replica`],
  ];
  await test(["--host", "0.0.0.0", ...files]);
  await Deno.remove(folder, { recursive: true });
}

Deno.test({
  name: `MLflow's client with a token, every step, files too${skipSuffix(prepared)}`,
  ignore,
  fn: () =>
    withTokens(async (args) => {
      const passed = await runFlow(python, { args, env: { MLFLOW_TRACKING_TOKEN: ADMIN } });
      assertEquals(passed.length, 19);
    }),
});

Deno.test({
  name: `MLflow's client with the token as password, every step, files too${skipSuffix(prepared)}`,
  ignore,
  fn: () =>
    withTokens(async (args) => {
      const env = { MLFLOW_TRACKING_USERNAME: "anyone", MLFLOW_TRACKING_PASSWORD: ADMIN };
      assertEquals((await runFlow(python, { args, env })).length, 19);
    }),
});

Deno.test({
  name: `MLflow's client: no token, a wrong one, and a replica's are refused clearly${
    skipSuffix(prepared)
  }`,
  ignore,
  fn: () =>
    withTokens(async (args) => {
      const env = { SERIN_TEST_ADMIN: ADMIN, SERIN_TEST_REPLICA: REPLICA };
      const passed = await runFlow(python, { args, env, script: "tokens.py" });
      assertEquals(passed, ["no_token", "wrong_token", "wrong_password", "replica_token"]);
    }),
});
