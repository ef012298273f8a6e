import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { OutputFolder } from "./output_folder.ts";

const files = (text: string) => new Map([["a.txt", new TextEncoder().encode(text)]]);

async function inTemporary(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();

Deno.test("a folder appears whole, or nothing stays behind", () =>
  inTemporary(async (folder) => {
    const out = `${folder}/new/model`;
    {
      await using output = await OutputFolder.open(`${out}/`, false);
      await output.write(files("one"));
    }
    assertEquals(await Deno.readTextFile(`${out}/a.txt`), "one");
    {
      await using _ = await OutputFolder.open(`${folder}/new/other`, false);
    }
    assertEquals(namesIn(`${folder}/new`), ["model"]);
  }));

Deno.test("of two that write the same folder the first wins, and the second is told", () =>
  inTemporary(async (folder) => {
    const out = `${folder}/model`;
    {
      await using first = await OutputFolder.open(out, false);
      await using second = await OutputFolder.open(out, false);
      await first.write(files("one"));
      await assertSerinError(() => second.write(files("two")), "already_exists", "--overwrite");
    }
    assertEquals(await Deno.readTextFile(`${out}/a.txt`), "one");
    assertEquals(namesIn(folder), ["model"]);
  }));

Deno.test("what is there is replaced only when asked", () =>
  inTemporary(async (folder) => {
    const out = `${folder}/model`;
    Deno.mkdirSync(out);
    {
      await using output = await OutputFolder.open(out, false);
      await output.write(files("one"));
    }
    await assertSerinError(() => OutputFolder.open(out, false), "already_exists", "--overwrite");
    {
      await using output = await OutputFolder.open(out, true);
      await output.write(files("two"));
    }
    assertEquals(await Deno.readTextFile(`${out}/a.txt`), "two");
    assertEquals(namesIn(folder), ["model"]);
    await assertSerinError(() => OutputFolder.open(`${out}/a.txt`, true), "already_exists", "file");
    await assertSerinError(() => OutputFolder.open(`${out}/a.txt/b`, true), "already_exists");
  }));

Deno.test({
  name: "a folder that cannot be written is told of before any work" +
    (Deno.build.os === "linux" ? "" : " (skipped: no /proc here)"),
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await assertSerinError(() => OutputFolder.open("/proc/serin-model", false), "storage", "/proc");
  },
});

Deno.test("names with folders in them are put into folders", () =>
  inTemporary(async (folder) => {
    await using output = await OutputFolder.open(`${folder}/tree`, false);
    await output.write(new Map([["a/b/c.txt", new Uint8Array([65])], ["d.txt", new Uint8Array()]]));
    assertEquals(await Deno.readTextFile(`${folder}/tree/a/b/c.txt`), "A");
    assertEquals(namesIn(`${folder}/tree`), ["a", "d.txt"]);
  }));
