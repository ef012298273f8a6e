/**
 * `mlflow.onnx.load_model("models:/electricity@champion")` of the stock client predicts what `serin
 * serve` answers, for a model that `serin train` tracked and registered.
 */
import { assertEquals, assertTrue, runSerin, SerinProcess } from "../src/testing/mod.ts";
import { prepareMlflowPython, skipSuffix } from "./support/mlflow_python.ts";

const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);
const DATA = path("../data/elec2.csv");
const prepared = await prepareMlflowPython();

Deno.test({
  name: `the stock client loads by alias what serve answers${skipSuffix(prepared)}`,
  ignore: "missing" in prepared,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await using registry = await SerinProcess.start([
        ...["registry", "--port", "0", "--data", `${folder}/data`],
      ]);
      const trained = await runSerin([
        ...["train", "--data", DATA, "--target", "target", "--rows", "0-8736", "--json"],
        ...["--registry", registry.url, "--register", "electricity", "--out", `${folder}/model`],
      ]);
      assertEquals(trained.code, 0, trained.stderr);
      await using serving = await SerinProcess.start([
        ...["serve", "--registry", registry.url, "--model", "models:/electricity@champion"],
        ...["--port", "0", "--admin-port", "0", "--cache", `${folder}/cache`],
      ]);
      const seen = await sameAnswers([registry.url, serving.url, DATA]);
      assertEquals([seen.rows, seen.labels_equal], [500, true]);
      assertTrue(seen.onnx_difference <= 1e-6, `onnx flavour differs by ${seen.onnx_difference}`);
      assertTrue(seen.pyfunc_difference <= 1e-6, `pyfunc differs by ${seen.pyfunc_difference}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function sameAnswers(args: string[]) {
  const { python } = prepared as { python: string };
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [path("./mlflow/same_answers.py"), ...args],
  }).output();
  assertTrue(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}
