/**
 * The compiled executable (`SERIN_BIN`, else `./serin`): how it starts, how it refuses a wrong command
 * line, and what it is not able to do.
 */
import { COMPILE_FLAGS } from "../scripts/compile_flags.ts";
import { findDenort } from "../scripts/denort.ts";
import { assertEquals, assertIncludes, assertTrue } from "../src/testing/mod.ts";
import { refusedOf } from "./binary/attempts.ts";
import { compiledPermissions } from "./binary/compiled_permissions.ts";
import { isolateAttempts } from "./binary/isolate_attempts.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const binary = Deno.env.get("SERIN_BIN") ?? `${root}serin`;
const isBuilt = await Deno.stat(binary).then(() => true, () => false);
const reason = isBuilt ? "" : " (skipped: ./serin is not built)";

/** Of a data isolate: all but the network. */
const REFUSED_IN_ISOLATE = [
  "write a file",
  "read a file",
  "start a process",
  "start a process through node",
  "read the environment",
  "read the environment through node",
  "load native code",
  "ask for the host's name",
  "import code from a host",
  "give a worker more",
];
/** Of `serin serve`'s main isolate, which fetches models and keeps them in files. */
const REFUSED_IN_SERVE = [
  "start a process",
  "start a process through node",
  "load native code",
  "import code from a host",
  "give a worker more",
];

testBinary("--help is there at once", async () => {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const { code, stdout } = await run("--help");
    times.push(performance.now() - start);
    assertEquals(code, 0);
    assertIncludes(stdout, "Usage: serin COMMAND");
  }
  const median = times.toSorted((a, b) => a - b)[2];
  console.log(`--help: ${median.toFixed(0)} ms, median of 5 (aim: 150 ms on an idle machine)`);
  assertTrue(median < 1000, `--help took ${median} ms`);
});

testBinary("all problems of a command line are told together, exit 2", async () => {
  const { code, stdout, stderr } = await run(
    "serve",
    "--prot",
    "1",
    "--port",
    "x",
    "--workers",
    "0",
  );
  assertEquals({ code, stdout }, { code: 2, stdout: "" });
  assertIncludes(stderr, 'unknown option --prot (did you mean "--port"?)');
  assertIncludes(stderr, "--port: ");
  assertIncludes(stderr, "--workers: ");
});

testBinary("an unknown command gets a suggestion, exit 2", async () => {
  const { code, stderr } = await run("trian");
  assertEquals(code, 2);
  assertIncludes(stderr, 'did you mean "train"?');
});

testBinary("permissions given at run time change nothing", async () => {
  const { code, stderr } = await run("--allow-run", "version");
  assertEquals(code, 2);
  assertIncludes(stderr, "--allow-run");
});

testBinary(
  "the executable itself has no permission to run programs or load native code",
  async () => {
    const permissions = await compiledPermissions(binary);
    for (const kind of ["run", "ffi", "all"]) {
      assertTrue(!Array.isArray(permissions[`allow_${kind}`]), `allow_${kind} in the executable`);
    }
    assertTrue(!("allow_all" in permissions) || permissions.allow_all === false, "allow_all");
    assertEquals(permissions.deny_import, [], "imports are denied altogether");
    assertEquals(permissions.prompt, false, "it never asks");
  },
);

Deno.test("a data isolate has the network and nothing else", async () => {
  await withFolder(async (folder) => {
    const attempts = await isolateAttempts(folder);
    assertEquals(refusedOf(attempts), REFUSED_IN_ISOLATE, JSON.stringify(attempts, null, 2));
    assertEquals(attempts["listen on a port"], "done");
    await checkUntouched(folder);
  });
});

Deno.test("so it is in an executable of the same flags, and serve runs no program", async () => {
  await withFolder(async (folder) => {
    const { main, isolate } = JSON.parse(await runProbe(folder));
    assertEquals(refusedOf(isolate), REFUSED_IN_ISOLATE, JSON.stringify(isolate, null, 2));
    assertEquals(isolate["listen on a port"], "done");
    const refused = refusedOf(main);
    const missing = REFUSED_IN_SERVE.filter((name) => !refused.includes(name));
    assertEquals(missing, [], JSON.stringify(main, null, 2));
    assertEquals(main["write a file"], "done");
  });
});

function testBinary(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + reason, ignore: !isBuilt, fn });
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(binary, { args }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Compiles tests/binary/permission_probe.ts as the executable is compiled, and runs it. */
async function runProbe(folder: string): Promise<string> {
  const probe = `${folder}/probe`;
  const denort = await findDenort(`${root}.cache`);
  const compiled = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", ...COMPILE_FLAGS, "--include", `${root}tests/binary/probe_isolate.ts`],
      ...["--output", probe, `${root}tests/binary/permission_probe.ts`],
    ],
    cwd: root,
    env: denort === undefined ? {} : { DENORT_BIN: denort },
  }).output();
  const decoder = new TextDecoder();
  assertTrue(compiled.success, decoder.decode(compiled.stderr));
  const { success, stdout, stderr } = await new Deno.Command(probe, { args: [folder] }).output();
  assertTrue(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/secret.txt`, "secret");
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function checkUntouched(folder: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  assertEquals(names, ["secret.txt"]);
}
