/**
 * `serin backup` beside a registry that is written all the time, and `serin restore`, which gives all of
 * it or nothing: killed, on a full disk, with a broken archive.
 */
import { serinCommand, TestRegistry, until } from "../src/testing/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../src/testing/mod.ts";
import { Workbench } from "./support/workbench.ts";

const ROUNDS = 4;

/** What a registry has acknowledged, and whether it may log on. */
interface Writing {
  readonly runId: string;
  readonly artifactUri: string;
  readonly params: Set<string>;
  readonly files: Set<string>;
  isOver: boolean;
}

/** Logs, uploads, and deletes what is old, until it is told to end. */
async function write({ client, url }: TestRegistry, writing: Writing): Promise<void> {
  const { runId } = writing;
  const params = async () => {
    for (let i = 0; !writing.isOver; i++) {
      await client.runs.logBatch(runId, { params: [{ key: `p${i}`, value: String(i) }] });
      writing.params.add(`p${i}`);
    }
  };
  const files = async () => {
    for (let i = 0; !writing.isOver; i++) {
      const bytes = new TextEncoder().encode(`${i} `.repeat(20_000));
      await client.artifacts.upload(writing.artifactUri, `f${i}`, bytes);
      writing.files.add(`f${i}`);
      if (i < 20) continue;
      writing.files.delete(`f${i - 20}`);
      const path = `${runPath(writing)}/f${i - 20}`;
      const route = `api/2.0/mlflow-artifacts/artifacts/${path}`;
      const answer = await fetch(`${url}/${route}`, { method: "DELETE" });
      await answer.body?.cancel();
      assertTrue(answer.ok, `DELETE ${path}: ${answer.status}`);
    }
  };
  await Promise.all([params(), files()]);
}

const runPath = ({ artifactUri }: Writing) => artifactUri.replace("mlflow-artifacts:/", "");

async function beginWriting(api: TestRegistry): Promise<Writing> {
  const experimentId = await api.client.experiments.ensure("backup");
  const { info } = await api.client.runs.create({ experimentId, startedMs: 0 });
  return {
    ...{ runId: info.run_id, artifactUri: info.artifact_uri },
    ...{ params: new Set(), files: new Set(), isOver: false },
  };
}

Deno.test("backups beside a registry that is written and deleted from are each of one moment", async () => {
  await using bench = await Workbench.open();
  const registry = await bench.start("registry", "--port", "0", "--data", "data");
  const api = new TestRegistry(registry.url);
  const writing = await beginWriting(api);
  const ended = write(api, writing);
  // Told below; should the test fail before, that is what must be seen.
  ended.catch(() => {});
  const moments: { params: string[]; files: string[]; filesAfter: Set<string> }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await until("more is written", () => writing.params.size > (round + 1) * 60);
    const params = [...writing.params], files = [...writing.files];
    const { code, stderr } = await bench.run(
      "backup",
      "--data",
      "data",
      "--output",
      `${round}.tar`,
    );
    assertEquals(code, 0, stderr);
    moments.push({ params, files, filesAfter: new Set(writing.files) });
  }
  writing.isOver = true;
  await ended;
  assertEquals([...Deno.readDirSync(bench.path("data/artifacts/unfinished"))], []);
  await registry.stop();
  for (const [round, { params, files, filesAfter }] of moments.entries()) {
    const args = ["restore", "--input", `${round}.tar`, "--data", `data ${round}`];
    const { code, stdout, stderr } = await bench.run(...args);
    assertEquals(code, 0, stderr);
    assertIncludes(stdout, `data ${round} was restored`);
    const restored = await bench.start("registry", "--port", "0", "--data", `data ${round}`);
    const { data, info } = await new TestRegistry(restored.url).client.runs.get(writing.runId);
    const found = new Set(data.params.map(({ key }) => key));
    assertEquals(info.run_id, writing.runId);
    for (const key of params) assertTrue(found.has(key), `round ${round}: ${key} is lost`);
    const seen = await readAll(restored.url, runPath(writing));
    // Those that were there before and after it were there in the moment between.
    for (const name of files.filter((name) => filesAfter.has(name))) {
      assertEquals(seen.get(name), `${name.slice(1)} `.repeat(20_000), `round ${round}: ${name}`);
    }
    await restored.stop();
  }
});

/** @returns the contents of a folder's files by name; every file that is listed must be readable */
async function readAll(url: string, folder: string): Promise<Map<string, string>> {
  const route = `${url}/api/2.0/mlflow-artifacts/artifacts`;
  const listed = await (await fetch(`${route}?path=${encodeURIComponent(folder)}`)).json();
  const contents = new Map<string, string>();
  for (const { path } of listed.files as { path: string }[]) {
    const answer = await fetch(`${route}/${folder}/${path}`);
    assertEquals(answer.status, 200, path);
    contents.set(path, await answer.text());
  }
  assertTrue(contents.size > 0, "files are listed");
  return contents;
}

/** A registry that has ended, with some files, and a backup of it. */
async function openSaved(bench: Workbench, ...args: string[]): Promise<Writing> {
  const registry = await bench.start("registry", "--port", "0", "--data", "data", ...args);
  const api = new TestRegistry(registry.url);
  const writing = await beginWriting(api);
  for (let i = 0; i < 8; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    await api.client.artifacts.upload(writing.artifactUri, `f${i}`, bytes);
  }
  await registry.stop();
  return writing;
}

/** Starts serin with pipes that the test holds. */
function pipe(bench: Workbench, args: string[]) {
  const { command, args: first } = serinCommand();
  return new Deno.Command(command, {
    ...{ args: [...first, ...args], cwd: bench.folder },
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
}

Deno.test("a restore killed in the middle keeps the registry out until it is done again", async () => {
  await using bench = await Workbench.open();
  const writing = await openSaved(bench);
  assertEquals((await bench.run("backup", "--data", "data", "--output", "b.tar")).code, 0);
  const archive = await Deno.readFile(bench.path("b.tar"));
  const restore = pipe(bench, ["restore", "--input", "-", "--data", "new"]);
  const stdin = restore.stdin.getWriter();
  await stdin.write(archive.subarray(0, archive.length - 70_000));
  await until("files are there", () => {
    try {
      return [...Deno.readDirSync(bench.path("new/artifacts/sha256"))].length > 3;
    } catch {
      return false;
    }
  });
  // While it runs nobody else may have the folder.
  await bench.refused(["registry", "--port", "0", "--data", "new"], 1, "has not ended");
  restore.kill("SIGKILL");
  await restore.status;
  await stdin.close().catch(() => {});
  await Promise.all([restore.stdout.cancel(), restore.stderr.cancel()]);
  await bench.refused(["registry", "--port", "0", "--data", "new"], 1, "has not ended");
  await bench.refused(["backup", "--data", "new", "--output", "c.tar"], 1, "no serin.db");
  const again = await bench.run("restore", "--input", "b.tar", "--data", "new");
  assertEquals(again.code, 0, again.stderr);
  const registry = await bench.start("registry", "--port", "0", "--data", "new");
  assertEquals((await readAll(registry.url, runPath(writing))).size, 8);
});

Deno.test("a backup whose reader goes away, or that is killed, leaves nothing that stays", async () => {
  await using bench = await Workbench.open();
  await openSaved(bench);
  const unfinished = () => [...Deno.readDirSync(bench.path("data/artifacts/unfinished"))].length;
  const stalled = async () => {
    const backup = pipe(bench, ["backup", "--data", "data"]);
    const reader = backup.stdout.getReader();
    // It is far more than a pipe holds: it waits.
    await reader.read();
    assertEquals(unfinished(), 1);
    return { backup, reader };
  };
  const left = await stalled();
  await left.reader.cancel();
  const { code } = await left.backup.status;
  const stderr = await new Response(left.backup.stderr).text();
  assertEquals([code, unfinished()], [1, 0], stderr);
  assertIncludes(stderr, "Cannot write the backup");
  await left.backup.stdin.close();
  const killed = await stalled();
  killed.backup.kill("SIGKILL");
  await killed.backup.status;
  await Promise.all([killed.reader.cancel(), killed.backup.stderr.cancel()]);
  await killed.backup.stdin.close().catch(() => {});
  assertEquals(unfinished(), 1);
  const registry = await bench.start("registry", "--port", "0", "--data", "data");
  assertEquals(unfinished(), 0);
  await registry.stop();
});

Deno.test("a backup cut off, altered, or no backup at all restores nothing", async () => {
  await using bench = await Workbench.open();
  await openSaved(bench);
  assertEquals((await bench.run("backup", "--data", "data", "--output", "b.tar")).code, 0);
  const archive = await Deno.readFile(bench.path("b.tar"));
  await bench.write("cut.tar", archive.subarray(0, archive.length - 20_000));
  const altered = archive.slice();
  altered[altered.length - 5000] ^= 1;
  await bench.write("altered.tar", altered);
  await bench.write("text.tar", "no archive".repeat(100));
  const restore = (name: string) => ["restore", "--input", name, "--data", "new"];
  await bench.refused(restore("cut.tar"), 1, "damaged", "ends in the middle");
  await bench.refused(restore("altered.tar"), 1, "damaged", "has the digest");
  await bench.refused(restore("text.tar"), 1, "no tar archive");
  await bench.refused(restore("none.tar"), 1, "none.tar");
  await bench.refused(["restore", "--input", "cut.tar", "--check"], 1, "ends in the middle");
  await bench.refused(["restore", "--input", "b.tar"], 2, "--check");
  await bench.refused(["restore", "--input", "b.tar", "--data", "data"], 1, "is not empty");
  await bench.refused(["backup", "--data", "nowhere"], 1, "nowhere");
  const { code, stdout } = await bench.run("restore", "--input", "b.tar", "--check");
  assertEquals(code, 0);
  assertIncludes(stdout, "b.tar is whole");
});

Deno.test("files elsewhere and tokens of the data folder come back where they were asked for", async () => {
  await using bench = await Workbench.open();
  const files = ["--artifacts-destination", "files"];
  // Not loopback alone: it makes tokens.
  const registry = await bench.start("registry", "--port", "0", "--data", "data", ...files);
  await registry.stop();
  await bench.write("data/admin-token", "an-admin-token-of-this-test\n");
  await openSaved(bench, ...files);
  await bench.refused(
    ["backup", "--data", "data", "--output", "b.tar"],
    1,
    "--artifacts-destination",
  );
  const backup = ["backup", "--data", "data", ...files, "--output", "b.tar"];
  assertEquals((await bench.run(...backup)).code, 0);
  assertEquals((await bench.run("restore", "--input", "b.tar", "--data", "bare")).code, 0);
  const bare = [...Deno.readDirSync(bench.path("bare"))].map(({ name }) => name).toSorted();
  assertEquals(bare, [".lock", "artifacts", "serin.db"]);
  assertEquals((await bench.run(...backup, "--with-tokens")).code, 0);
  const elsewhere = ["--data", "new", "--artifacts-destination", "new files"];
  assertEquals((await bench.run("restore", "--input", "b.tar", ...elsewhere)).code, 0);
  assertEquals(
    Deno.readTextFileSync(bench.path("new/admin-token")),
    "an-admin-token-of-this-test\n",
  );
  assertTrue([...Deno.readDirSync(bench.path("new files/sha256"))].length > 3, "files are there");
});

// Tried once, for the test's name; what the test mounts ends with it.
const probe = await mountSmallDisk();
if (probe !== undefined) await unmount(probe);

Deno.test({
  name: "on a full disk there is no backup and no restored folder" +
    (probe ? "" : " (skipped: no small file system can be mounted here)"),
  ignore: probe === undefined,
  fn: async () => {
    await using bench = await Workbench.open();
    await openSaved(bench);
    const disk = (await mountSmallDisk())!;
    try {
      await bench.refused(["backup", "--data", "data", "--output", `${disk}/b.tar`], 1, "is full");
      assertEquals([...Deno.readDirSync(disk)], []);
      assertEquals((await bench.run("backup", "--data", "data", "--output", "b.tar")).code, 0);
      await bench.refused(["restore", "--input", "b.tar", "--data", `${disk}/new`], 1, "is full");
      // The root of a volume, as in a pod: it is not the folder that was made, what is in it goes.
      await bench.refused(["restore", "--input", "b.tar", "--data", disk], 1, "is full");
      assertEquals([...Deno.readDirSync(disk)].filter(({ name }) => name !== ".lock"), []);
      // A registry's own disk that has no room for a copy of its database.
      await Deno.mkdir(`${disk}/sha256`);
      await Deno.writeFile(`${disk}/other`, new Uint8Array(300_000));
      const full = ["--artifacts-destination", disk, "--output", "c.tar"];
      await bench.refused(["backup", "--data", "data", ...full], 1, "Cannot copy the database");
      assertEquals([...Deno.readDirSync(`${disk}/unfinished`)], []);
    } finally {
      await unmount(disk);
    }
  },
});

/** @returns a file system of 512 kB, undefined where that may not be */
async function mountSmallDisk(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["-t", "tmpfs", "-o", "size=512k", "tmpfs", folder];
    if ((await new Deno.Command("mount", { args, stderr: "null" }).output()).success) return folder;
  } catch {
    // No such program.
  }
  await Deno.remove(folder);
  return undefined;
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: [folder] }).output();
  await Deno.remove(folder);
}
