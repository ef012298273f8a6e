/** Rules of the tree itself: what docs/architecture.md and CONTRIBUTING.md promise, as tests. */
import { FORBIDDEN_NAMES, readTree, type SourceFile } from "./tidy/tree.ts";
import { findCycle, reachedFrom, readGraph } from "./tidy/graph.ts";
import { importProblem } from "../scripts/import_rule.ts";
import { ROOMS, TEST_ROOM } from "../scripts/import_table.ts";
import lintPlugin from "../scripts/lint_plugin.ts";
import { VERSION } from "../src/core/version.ts";
import { assertEquals, assertTrue } from "../src/testing/mod.ts";

const tree = await readTree();
const sources = tree.filter(({ path }) => path.endsWith(".ts"));
const graph = await readGraph(
  sources.filter(({ path }) => path === "main.ts" || path.startsWith("src/")),
);

/** What `serin --help` must not wait for. */
const NEVER_AT_START = [
  /^npm:\/?(hono|prom-client|onnxruntime|yaml)\b/,
  /inference\/vendor\//,
  /^node:sqlite$/,
];
const FILE_LINES_MAX = 800;
const FILE_LINES_EXPLAINED = 500;

Deno.test("files above 500 lines say why, none is above 800", () => {
  const problems = sources.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    if (lines > FILE_LINES_MAX) return [`${path}: ${lines} lines`];
    const head = text.replace(/^#!.*\n/, "").trimStart();
    const isExplained = head.startsWith("/*") || head.startsWith("//");
    return lines > FILE_LINES_EXPLAINED && !isExplained
      ? [`${path}: ${lines} lines and no header that says why it is one thing`]
      : [];
  });
  assertEquals(problems, []);
});

Deno.test("no import cycles, type imports included", () => {
  const edge = (to: string) => ({ to, isStatic: true, isLoaded: false });
  const planted = new Map([["a", [edge("b")]], ["b", [edge("c")]], ["c", [edge("b")]]]);
  assertEquals(findCycle(planted, () => true), ["b", "c", "b"]);
  const isolate = graph.get("src/serving/data_isolate.ts") ?? [];
  assertTrue(
    isolate.some(({ to }) => to === "src/core/mod.ts"),
    "the graph is that of the sources",
  );
  assertEquals(findCycle(graph, (edge) => edge.isStatic), undefined);
});

Deno.test("main.ts's static graph holds nothing that makes --help wait", () => {
  const loaded = [...reachedFrom(graph, "main.ts", (edge) => edge.isStatic && edge.isLoaded)];
  assertTrue(loaded.includes("src/cli/mod.ts"), `the graph looks wrong: ${loaded}`);
  const slow = loaded.filter((name) => NEVER_AT_START.some((pattern) => pattern.test(name)));
  assertEquals(slow, []);
});

Deno.test("shipped code imports no JSON and no Wasm, and no test code", () => {
  const shipped = [...reachedFrom(graph, "main.ts", () => true)];
  const wrong = shipped.filter((name) =>
    /\.(json|wasm)$/.test(name) || name.startsWith(`src/${TEST_ROOM}/`) || isTest(name)
  );
  assertEquals(wrong, []);
});

Deno.test("no file has a name that says nothing", () => {
  const wrong = sources.filter(({ path }) => FORBIDDEN_NAMES.test(path)).map(({ path }) => path);
  assertEquals(wrong, []);
});

Deno.test("the version is that of deno.json", () => {
  assertEquals(VERSION, JSON.parse(textOf("deno.json")).version);
});

Deno.test("the import table has every folder of src, and only those", () => {
  assertEquals([...Object.keys(ROOMS), TEST_ROOM].toSorted(), foldersOfSrc());
  for (const [name, { level, imports, outside = [] }] of Object.entries(ROOMS)) {
    for (const other of imports) {
      assertTrue(ROOMS[other]?.level <= level, `${name} imports ${other} of a higher level`);
    }
    for (const dependency of outside) {
      const owners = Object.values(ROOMS).filter((room) => room.outside?.includes(dependency));
      assertEquals(owners.length, 1, `${dependency} has one owner`);
    }
  }
});

Deno.test("docs/architecture.md has every folder of src, and only those", () => {
  // Rows of its table: | folder | level | …
  const rows = textOf("docs/architecture.md").matchAll(/^\| *`?([a-z]+)`? *\| *(\d|test)/gm);
  assertEquals([...rows].map(([, room]) => room).toSorted(), foldersOfSrc());
});

Deno.test("every dependency of deno.json belongs to a room", () => {
  const names = Object.keys(JSON.parse(textOf("deno.json")).imports);
  const owned = Object.values(ROOMS).flatMap(({ outside = [] }) => outside);
  assertEquals(names.filter((name) => name !== "zod" && !owned.includes(name)), []);
});

Deno.test("the tree names no package registry's host and no folder of one machine", () => {
  const hosts = /(pypi|npmjs|pythonhosted|golang|debian|jsr)\.(org|com|io)\b/;
  const machine = /(?<![\w}.*:-])\/(home|root|work|Users)\/[A-Za-z]/;
  assertEquals(linesWith(tree, (line) => hosts.test(line) || machine.test(line)), []);
});

Deno.test("a path made of a module's URL is decoded: folders may have spaces", () => {
  const bare = /(?<!decodeURIComponent\(\s*)new URL\([^()]*import\.meta\.url\)\.pathname/;
  const found = tree.filter(({ path, text }) => path.endsWith(".ts") && bare.test(text));
  assertEquals(found.map(({ path }) => path), []);
});

Deno.test("nothing is marked as unfinished", () => {
  const marker = new RegExp(
    `\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`,
  );
  assertEquals(linesWith(tree, (line) => marker.test(line)), []);
});

Deno.test("the import rule finds what it is there for", () => {
  const cases: [file: string, specifier: string, problem: string | undefined][] = [
    ["src/train/gbdt.ts", "../core/mod.ts", undefined],
    ["src/train/gbdt.ts", "../core/assert.ts", "its door"],
    ["src/train/gbdt.ts", "../registry/mod.ts", "may not import registry"],
    ["src/train/gbdt.ts", "./mod.ts", "own room's mod.ts"],
    ["src/train/loss/squared.ts", "./mod.ts", "own family's mod.ts"],
    ["src/train/gbdt.ts", "./loss/mod.ts", undefined],
    ["src/train/gbdt.ts", "../testing/mod.ts", "test code"],
    ["src/train/gbdt_test.ts", "../testing/mod.ts", undefined],
    ["src/train/gbdt.ts", "hono", "api only"],
    ["src/api/app.ts", "hono/cors", undefined],
    ["src/registry/a.ts", "node:sqlite", "database only"],
    ["src/registry/a.ts", "node:crypto", undefined],
    ["src/core/a.ts", "zod", undefined],
    ["src/core/a.ts", "left-pad", "belongs to no room"],
    ["src/core/a.ts", "npm:zod@4", "deno.json"],
    ["src/core/a.ts", "https://example.com/a.ts", "from npm"],
    ["src/serving/serving.ts", "../rollout/router/mod.ts", undefined],
    ["src/serving/serving.ts", "../rollout/sync.ts", undefined],
    ["src/serving/serving.ts", "../rollout/engine.ts", "its door"],
    ["src/serving/data_isolate.ts", "../api/inference/app.ts", undefined],
    ["src/serving/serving.ts", "../inference/vendor/ort.mjs", "inference only"],
    ["main.ts", "./src/cli/mod.ts", undefined],
    ["main.ts", "./src/train/mod.ts", "only"],
    ["scripts/build.ts", "../src/train/gbdt.ts", undefined],
  ];
  for (const [file, specifier, expected] of cases) {
    const problem = importProblem(file, specifier);
    const isRight = expected === undefined ? problem === undefined : problem?.includes(expected);
    assertTrue(isRight, `${file} → ${specifier}: ${problem}, expected ${expected}`);
  }
});

Deno.test("the lint plugin reports imports, data imports, computed imports and long functions", () => {
  const long = `{\n${"  work();\n".repeat(80)}}`;
  assertEquals(lintRules('import { a } from "../train/mod.ts";'), ["serin/rooms"]);
  assertEquals(lintRules('export type { A } from "../train/mod.ts";'), ["serin/rooms"]);
  assertEquals(lintRules('import a from "./a.json" with { type: "json" };'), ["serin/rooms"]);
  assertEquals(lintRules("await import(name);"), ["serin/rooms"]);
  assertEquals(lintRules('import { assert } from "./assert.ts";'), []);
  assertEquals(lintRules(`function f() ${long}`), ["serin/function-lines"]);
  assertEquals(lintRules(`class A { m() ${long} }`), ["serin/function-lines"]);
  assertEquals(lintRules(`// kernel: the inner loop\nfunction f() ${long}`), []);
  assertEquals(lintRules(`/** Sums.\n * kernel: hot */\nexport function f() ${long}`), []);
});

function lintRules(source: string): string[] {
  const file = decodeURIComponent(new URL("../src/core/sample.ts", import.meta.url).pathname);
  return Deno.lint.runPlugin(lintPlugin, file, source).map(({ id }) => id);
}

function foldersOfSrc(): string[] {
  const folders = tree.map(({ path }) => /^src\/([^/]+)\//.exec(path)?.[1]);
  return [...new Set(folders.filter((name) => name !== undefined))].toSorted();
}

function textOf(path: string): string {
  const file = tree.find((each) => each.path === path);
  if (file === undefined) throw new Error(`there is no ${path}`);
  return file.text;
}

function linesWith(files: readonly SourceFile[], isWrong: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) =>
      isWrong(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : []
    )
  );
}

function isTest(path: string): boolean {
  return path.endsWith("_test.ts");
}
