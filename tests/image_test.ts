/**
 * `scripts/image` makes what the Dockerfile says: its files by the same script, its settings from the last
 * stage. That the image runs is shown by the cluster test.
 */
import { assertEquals, assertIncludes, assertTrue } from "../src/testing/mod.ts";
import { readImageArchive } from "./image/image_archive.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
const BINARY = Deno.env.get("SERIN_BIN") ?? `${ROOT}serin`;
const MB = 1_000_000;
const VERSION = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).version;
const NONROOT = "65532/65532";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const missing = await whyNoBase();

Deno.test({
  name: `the image has the executable, what it needs, and no more${missing ?? ""}`,
  ignore: missing !== undefined,
  async fn(t) {
    const output = `${folder}/image.tar`;
    const { code, stdout, stderr } = await makeImage("--output", output);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const image = await readImageArchive(output);
    const [base, program] = await Promise.all(image.layers.map(image.entries));

    await t.step("name, id and size are printed; at most 60 MB", async () => {
      assertIncludes(stdout, `name   serin:${VERSION}\nid     sha256:${image.id}\n`);
      assertEquals(image.tags, [`serin:${VERSION}`]);
      assertTrue((await Deno.stat(output)).size <= 60 * MB, stdout);
    });
    await t.step("two layers; the second is /serin alone", () => {
      assertEquals(image.layers.length, 2);
      assertEquals(program, [{ mode: "-rwxr-xr-x", owner: "0/0", name: "serin" }]);
    });
    await t.step("every library that the executable is linked with is there", async () => {
      const needed = await linkedLibraries(BINARY);
      const there = base.map(({ name }) => name.split("/").at(-1));
      assertTrue(needed.length >= 6, `ldd named ${needed}`);
      assertEquals(needed.filter((name) => !there.includes(name)), []);
    });
    await t.step("no shell, no set-uid file; nonroot owns its folders only", () => {
      assertEquals(base.filter(({ name }) => /(^|\/)s?bin(\/|$)/.test(name)), []);
      assertEquals(base.filter(({ mode }) => /s/i.test(mode)), []);
      assertEquals(base.find(({ name }) => name === "tmp")?.mode, "drwxrwxrwt");
      const owned = base.filter(({ owner }) => owner === NONROOT).map(({ name }) => name);
      assertEquals(owned, ["home/nonroot", "var/cache/serin", "var/lib/serin"]);
      assertEquals(base.filter(({ owner }) => owner !== NONROOT && owner !== "0/0"), []);
    });
    await t.step("users, ports and labels are those of the Dockerfile", () => {
      const { Labels: labels, ...config } = image.config.config;
      assertEquals(config, {
        Entrypoint: ["/serin"],
        Env: ["PATH=/"],
        ExposedPorts: { "5000/tcp": {}, "8080/tcp": {}, "8081/tcp": {}, "8082/tcp": {} },
        User: "65532:65532",
        WorkingDir: "/var/lib/serin",
      });
      assertEquals(labels["org.opencontainers.image.version"], VERSION);
      assertEquals(labels["org.opencontainers.image.licenses"], "Apache-2.0");
    });
  },
});

Deno.test({
  name: `the same files give the same archive; a new executable changes one layer${missing ?? ""}`,
  ignore: missing !== undefined,
  async fn() {
    const images = [];
    for (const [index, content] of ["one", "one", "two"].entries()) {
      const binary = `${folder}/binary-${index}`;
      // Times and modes of the files here must not matter.
      await Deno.writeTextFile(binary, content, { mode: index === 0 ? 0o700 : 0o755 });
      await Deno.utime(binary, index * 1000, index * 1000);
      const output = `${folder}/${index}.tar`;
      assertEquals((await makeImage("--binary", binary, "--output", output)).code, 0);
      images.push(output);
    }
    const [first, again] = await Promise.all(images.slice(0, 2).map((path) => Deno.readFile(path)));
    assertTrue(first.every((byte, index) => byte === again[index]), "the archives differ");
    const [one, , two] = await Promise.all(images.map(readImageArchive));
    assertEquals(one.layers[0], two.layers[0]);
    assertTrue(one.layers[1] !== two.layers[1] && one.id !== two.id, "it is the same image");
  },
});

Deno.test({
  name: `an image above 60 MB compressed is an error, and is not written${missing ?? ""}`,
  ignore: missing !== undefined,
  async fn() {
    const binary = `${folder}/large`;
    using file = await Deno.open(binary, { write: true, create: true, mode: 0o755 });
    // Random bytes cannot be compressed.
    const block = new Uint8Array(65_536);
    for (let written = 0; written < 60 * MB; written += block.length) {
      await file.write(crypto.getRandomValues(block));
    }
    const output = `${folder}/large.tar`;
    const { code, stderr } = await makeImage("--binary", binary, "--output", output);
    assertEquals(code, 1);
    assertIncludes(stderr, "MB compressed, more than the 60 MB");
    assertTrue(await Deno.stat(output).then(() => false, () => true), "it was written");
    await Deno.remove(binary);
  },
});

Deno.test("what is wrong with an image's arguments is said in one line", async () => {
  const cases: [args: string[], said: string][] = [
    [["--binary", `${folder}/none`], "there is no executable"],
    [["--tag", "serin"], `the tag 'serin' has no version: write serin:${VERSION}`],
  ];
  for (const [args, said] of cases) {
    const { code, stderr } = await makeImage(...args);
    assertEquals(code, 1);
    assertIncludes(stderr, said);
    assertEquals(stderr.trim().split("\n").length, 1);
  }
});

Deno.test("an instruction that scripts/image would pass over is refused", async () => {
  const cases: [text: string, said: string][] = [
    ["FROM scratch\nHEALTHCHECK NONE\n", ":2: HEALTHCHECK NONE: this instruction is not known"],
    ["FROM scratch\nADD a /a\n", ":2: ADD a /a: this instruction is not known"],
    ["FROM scratch\nENTRYPOINT /serin\n", ":2: ENTRYPOINT /serin: Expecting value"],
    ["FROM scratch\nCOPY a /a\n", "only COPY --from=STAGE SOURCE TARGET"],
    ["FROM debian:12\n", ":1: the last stage must begin FROM scratch"],
    ["# nothing\n", "has no FROM"],
  ];
  const program = "import sys; sys.path.insert(0, sys.argv[1]); import dockerfile\n" +
    "try: dockerfile.read_last_stage(sys.argv[2])\n" +
    "except dockerfile.DockerfileError as e: print(e)";
  for (const [text, said] of cases) {
    const path = `${folder}/Dockerfile`;
    await Deno.writeTextFile(path, text);
    const { stdout } = await run("python3", ["-c", program, `${ROOT}scripts/lib`, path]);
    assertIncludes(stdout, said);
  }
});

Deno.test("the Dockerfile says this version, and the build context has what it copies", async () => {
  const text = await Deno.readTextFile(`${ROOT}Dockerfile`);
  assertIncludes(text, `\nARG VERSION=${VERSION}\n`);
  assertIncludes(text, `--tag serin:${VERSION} `);
  const ignored = (await Deno.readTextFile(`${ROOT}.dockerignore`)).split("\n");
  const copies = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
    paths.split(" ")
  );
  assertTrue(copies.length >= 5, `found ${copies}`);
  for (const path of copies) {
    await Deno.stat(ROOT + path);
    const parents = path.split("/").map((_, index, all) => `/${all.slice(0, index + 1).join("/")}`);
    assertEquals(parents.filter((parent) => ignored.includes(parent)), []);
  }
});

/** @returns why Debian's packages cannot be had here, as a suffix for a test's name */
async function whyNoBase(): Promise<string | undefined> {
  const script = `${ROOT}scripts/lib/image_rootfs.sh`;
  const { code, stderr } = await run("bash", [script, `${folder}/rootfs`]);
  return code === 0 ? undefined : ` (skipped: ${stderr.trim().split("\n").at(-1)})`;
}

function makeImage(...args: string[]) {
  return run("python3", [`${ROOT}scripts/image`, ...args]);
}

async function linkedLibraries(binary: string): Promise<string[]> {
  const { stdout } = await run("ldd", [binary]);
  const names = stdout.trim().split("\n").map((line) =>
    line.trim().split(" ")[0].split("/").at(-1)!
  );
  return names.filter((name) => !name.startsWith("linux-vdso"));
}

async function run(command: string, args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env: { TZ: "UTC" } })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
