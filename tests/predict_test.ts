/** `serin predict`: what serve answers, to the printed digits, for every way to name a model. */
import { assertEquals, assertIncludes, assertTrue, linearModel } from "../src/testing/mod.ts";
import { type Json, post, type Served, Workbench } from "./support/workbench.ts";

const ROWS = 400;
/** Names that a CSV file must quote, and that trip up splitting at commas. */
const RENAMED: Record<string, string> = {
  nswprice: 'price, "New South Wales"',
  transfer: "transfer, MW",
};

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Real rows, numbers as they stand in the file, some of them missing. */
async function realRows(): Promise<{ header: string[]; rows: string[][] }> {
  const text = await Deno.readTextFile(new URL("../data/elec2.csv", import.meta.url));
  const [header, ...rows] = text.split("\n").slice(0, ROWS + 1).map((line) => line.split(","));
  rows.forEach((row, i) => i % 17 === 0 && (row[i % 6] = ""));
  return { header: header.map((name) => RENAMED[name] ?? name), rows };
}

/** What serve answers to the rows, as predict prints it. */
async function served(serve: Served, model: string, header: string[], rows: string[][]) {
  const columns = header.filter((name) => name !== "target");
  const data = rows.map((row) =>
    columns.map((name) => row[header.indexOf(name)]).map((cell) => cell === "" ? null : +cell)
  );
  const { json } = await post(`${serve.url}/invocations?model=${model}`, {
    dataframe_split: { columns, data },
  });
  const lines = json.predictions.map(({ label, probabilities }: Json) =>
    [label, ...probabilities].join(",")
  );
  return `label,probabilities_0,probabilities_1\n${lines.join("\n")}\n`;
}

Deno.test("predict gives what serve answers, for a folder, a file, a version and an alias", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  const { header, rows } = await realRows();
  const table = [header.map(quoted), ...rows].map((row) => row.join(",")).join("\r\n");
  await bench.write("rows.csv", `${table}\r\n`);
  const trained = await bench.run(
    ...["train", "--data", "rows.csv", "--target", "target", "--out", "prices"],
    ...["--registry", api.url, "--register", "prices", "--json"],
  );
  assertEquals(trained.code, 0, trained.stderr);
  const { model_sha256, run_id } = JSON.parse(trained.stdout);
  await api.client.models.setAlias("prices", "champion", "1");
  const serve = await bench.serve(
    ["prices", "--registry", api.url, "--model", "alias=models:/prices@champion"],
  );
  const expected = await served(serve, "prices", header, rows);
  assertEquals(await served(serve, "alias", header, rows), expected);
  const uris = ["prices", "prices/model.onnx", "models:/prices/1", "models:/prices@champion"];
  for (const uri of [...uris, `runs:/${run_id}/model`]) {
    const { code, stdout, stderr } = await bench.run(
      ...["predict", "--model", uri, "--registry", api.url],
      ...["--input", "rows.csv", "--output", "out.csv", "--json"],
    );
    assertEquals(code, 0, stderr);
    assertEquals(await Deno.readTextFile(bench.path("out.csv")), expected, uri);
    const report = JSON.parse(stdout);
    assertEquals({ rows: report.rows, sha256: report.model_sha256 }, {
      rows: ROWS,
      sha256: model_sha256,
    });
    await Deno.remove(bench.path("out.csv"));
  }
});

Deno.test("the output is whole or as it was: a late fault keeps the old file", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const lines = Array.from({ length: 9000 }, (_, i) => `${i / 9000},0`);
  const predict = ["predict", "--model", "m.onnx", "--input", "rows.csv", "--output", "out.csv"];
  await bench.write("out.csv", "old\n");
  await bench.write("rows.csv", `a,b\n${lines.join("\n")}\n,1\n`);
  await bench.refused(predict, 1, 'Input "a", row 9000');
  assertEquals(await Deno.readTextFile(bench.path("out.csv")), "old\n");
  await bench.write("rows.csv", `a,b\n${lines.join("\n")}\n`);
  const { code, stdout } = await bench.run(...predict);
  assertEquals(code, 0);
  assertIncludes(stdout, "9000 rows predicted by m version 1");
  const written = (await Deno.readTextFile(bench.path("out.csv"))).split("\n");
  assertEquals(written.length, 9002);
  assertTrue(/^1,0\.\d+,0\.\d+$/.test(written[9000]), written[9000]);
  assertEquals(bench.names(), ["m.onnx", "out.csv", "rows.csv"]);
});
