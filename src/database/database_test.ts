import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { AssertionError } from "../core/mod.ts";
import { inList, openDatabase } from "./mod.ts";

const NOTE = {
  id: "note/0001",
  sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)",
};
const LATER = { id: "note/0002", sql: "ALTER TABLE note ADD COLUMN more TEXT" };

function assertThrowsAssertion(run: () => unknown): void {
  try {
    run();
  } catch (thrown) {
    assertTrue(thrown instanceof AssertionError, String(thrown));
    return;
  }
  throw new Error("no assertion failed");
}

Deno.test("a transaction that throws leaves nothing behind", () => {
  using database = openDatabase(":memory:", [NOTE]);
  database.transaction((tx) => {
    const { changes, lastInsertRowid } = tx.run("INSERT INTO note (text) VALUES (?)", "kept");
    assertEquals([changes, lastInsertRowid], [1, 1]);
  });
  try {
    database.transaction((tx) => {
      tx.run("INSERT INTO note (text) VALUES (?)", "lost");
      throw new Error("on purpose");
    });
  } catch { /* on purpose */ }
  const rows = database.read((tx) => tx.all<{ text: string }>("SELECT text FROM note"));
  assertEquals(rows.map(({ text }) => text), ["kept"]);
});

Deno.test("a text with NUL is refused: it would be read back cut off", async () => {
  using database = openDatabase(":memory:", [NOTE]);
  await assertSerinError(
    () => database.transaction((tx) => tx.run("INSERT INTO note (text) VALUES (?)", "a\0b")),
    "invalid_input",
    "NUL",
  );
  await assertSerinError(
    () => database.read((tx) => tx.get("SELECT 1 FROM note WHERE text = ?", "a\0b")),
    "invalid_input",
    "NUL",
  );
  assertEquals(database.read((tx) => tx.all("SELECT text FROM note")).length, 0);
});

Deno.test("a list longer than SQLite's parameters is found in like a short one", () => {
  using database = openDatabase(":memory:", [NOTE]);
  database.transaction((tx) => tx.run("INSERT INTO note VALUES (7, 'seven'), (8, 'eight')"));
  const found = (column: string, values: (string | number)[]) => {
    const { sql, params } = inList(column, values);
    return database.read((tx) =>
      tx.all<{ id: number }>(`SELECT id FROM note WHERE ${sql}`, ...params).map(({ id }) => id)
    );
  };
  for (const length of [0, 1, 1000, 1001, 40_000]) {
    const others = Array.from({ length }, (_, i) => 100 + i);
    assertEquals(found("id", [...others, 7]), [7], `${length}`);
    assertEquals(found("text", [...others.map(String), "eight"]), [8], `${length}`);
    assertEquals(found("id", others), [], `${length}`);
  }
});

Deno.test("nesting, promises and use after the end are programmer's errors", () => {
  using database = openDatabase(":memory:", [NOTE]);
  assertThrowsAssertion(() => database.transaction(() => database.transaction(() => 1)));
  assertThrowsAssertion(() => database.transaction(() => Promise.resolve(1)));
  const kept = database.transaction((tx) => tx);
  assertThrowsAssertion(() => kept.run("INSERT INTO note (text) VALUES ('late')"));
  database.transaction((tx) => tx.run("INSERT INTO note (text) VALUES ('still works')"));
});

Deno.test("more statements than the cache holds go on working", () => {
  using database = openDatabase(":memory:", [NOTE]);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 600; i++) {
      assertEquals(database.read((tx) => tx.get<{ n: number }>(`SELECT ${i} AS n`))?.n, i);
    }
  }
});

Deno.test("an existing file is copied, then migrated, and its data stay", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/serin.db`;
  {
    using database = openDatabase(path, [NOTE]);
    database.transaction((tx) => tx.run("INSERT INTO note (text) VALUES ('old')"));
  }
  {
    using database = openDatabase(path, [NOTE, LATER]);
    assertEquals(
      { ...database.read((tx) => tx.get("SELECT * FROM note")) },
      { id: 1, text: "old", more: null },
    );
  }
  using copy = openDatabase(`${path}.before-note-0002`, [NOTE]);
  assertEquals(copy.read((tx) => tx.get<{ text: string }>("SELECT text FROM note"))?.text, "old");
  copy.close();
  await assertSerinError(() => openDatabase(path, [NOTE]), "storage", "note/0002", "newer serin");
  const changed = { ...NOTE, sql: NOTE.sql + " " + "STRICT" };
  await assertSerinError(() => openDatabase(path, [changed, LATER]), "storage", "another text");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a folder is opened once at a time, and named in the error", async () => {
  const folder = await Deno.makeTempDir();
  const first = openDatabase(`${folder}/serin.db`, [NOTE]);
  await assertSerinError(
    () => openDatabase(`${folder}/serin.db`, [NOTE]),
    "conflict",
    folder,
    "another process",
  );
  first.close();
  openDatabase(`${folder}/serin.db`, [NOTE]).close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("another process's lock ends with it, kill -9 included", async () => {
  const folder = await Deno.makeTempDir();
  const code = `import { openDatabase } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
    openDatabase(${JSON.stringify(`${folder}/serin.db`)}, []);
    console.log("open"); setInterval(() => {}, 1000);`;
  await Deno.writeTextFile(`${folder}/hold.ts`, code);
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${folder}/hold.ts`],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  await assertSerinError(() => openDatabase(`${folder}/serin.db`, []), "conflict", folder);
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  openDatabase(`${folder}/serin.db`, []).close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a missing folder and a file of another kind are told apart", async () => {
  const folder = await Deno.makeTempDir();
  await assertSerinError(
    () => openDatabase(`${folder}/missing/serin.db`, []),
    "storage",
    "must exist",
  );
  await Deno.writeTextFile(`${folder}/serin.db`, "no database, but long enough a text ".repeat(40));
  await assertSerinError(() => openDatabase(`${folder}/serin.db`, []), "storage", "not serin's");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a full disk is a storage error and the database goes on", async () => {
  const folder = await Deno.makeTempDir();
  using database = openDatabase(`${folder}/serin.db`, [NOTE]);
  // The page limit stands for the disk's end: SQLite gives the same code, SQLITE_FULL.
  database.read((tx) => tx.get("PRAGMA max_page_count = 8"));
  await assertSerinError(
    () =>
      database.transaction((tx) =>
        tx.run("INSERT INTO note (text) VALUES (?)", "x".repeat(1_000_000))
      ),
    "storage",
    "disk is full",
  );
  database.transaction((tx) => tx.run("INSERT INTO note (text) VALUES ('small')"));
  database.close();
  await Deno.remove(folder, { recursive: true });
});
