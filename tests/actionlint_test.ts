/** Workflows: serin's own, and the one that `serin init` writes with the action beside it. */
import { assertEquals, assertIncludes } from "../src/testing/mod.ts";
import { sha256Hex } from "../src/core/mod.ts";
import { modelRepository } from "../src/starter/mod.ts";
import { parseYamlConfig } from "../src/config/mod.ts";
import { z } from "zod";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
/** `scripts/actionlint` says with it that actionlint cannot be had. */
const NOT_HERE = 3;
const ACTION = ".github/actions/setup-serin/action.yml";

interface Linted {
  readonly code: number;
  readonly text: string;
}

async function actionlint(folder: string): Promise<Linted> {
  const { code, stdout, stderr } = await new Deno.Command(`${ROOT}scripts/actionlint`, {
    cwd: folder,
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

const own = await actionlint(ROOT);
const missing = own.code === NOT_HERE ? ` (${own.text.trim()})` : undefined;

/** A folder with the files of a model repository; actionlint looks for `.git` to find its root. */
async function withRepository(
  change: (files: Map<string, string>) => void,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const decoder = new TextDecoder();
  const files = new Map(
    [...modelRepository({ model: "parcels" })].map((
      [path, bytes],
    ) => [path, decoder.decode(bytes)]),
  );
  change(files);
  try {
    await Deno.mkdir(`${folder}/.git`);
    for (const [path, text] of files) {
      const parent = `${folder}/${path}`.replace(/\/[^/]*$/, "");
      await Deno.mkdir(parent, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: `actionlint: serin's own workflow${missing ?? ""}`,
  ignore: missing !== undefined,
  fn: () => assertEquals(own, { code: 0, text: "" }),
});

Deno.test({
  name: `actionlint: the workflow of serin init, which it can find fault with${missing ?? ""}`,
  ignore: missing !== undefined,
  async fn() {
    await withRepository(() => {}, async (folder) => {
      assertEquals(await actionlint(folder), { code: 0, text: "" });
    });
    const workflow = ".github/workflows/model.yml";
    await withRepository((files) => {
      files.set(workflow, files.get(workflow)!.replace("needs.register.outputs.", "needs.none."));
      files.set(ACTION, files.get(ACTION)!.replace("  sha256:", "  digest:"));
    }, async (folder) => {
      const { code, text } = await actionlint(folder);
      assertEquals(code, 1);
      assertIncludes(text, 'property "none" is not defined');
      assertIncludes(text, 'input "sha256" is not defined in action "Set up serin"');
    });
  },
});

Deno.test("the action runs only the executable with the wanted digest", async () => {
  const text = new TextDecoder().decode(modelRepository({ model: "m" }).get(ACTION));
  const schema = z.looseObject({ runs: z.object({ steps: z.array(z.looseObject({})) }) });
  const script = String(
    parseYamlConfig(text, schema, { source: ACTION }).runs.steps.at(-1)!.run,
  );
  const folder = await Deno.makeTempDir();
  const fake = new TextEncoder().encode('#!/bin/sh\necho "serin $1"\n');
  await using server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response(fake));
  const url = `http://127.0.0.1:${server.addr.port}/serin`;
  const setUp = async (given: Record<string, string>) => {
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script],
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        RUNNER_TEMP: folder,
        GITHUB_PATH: `${folder}/path`,
        URL: "",
        SHA256: "",
        ...given,
      },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  };
  try {
    const unset = await setUp({});
    assertEquals(unset.code !== 0, true);
    assertIncludes(unset.stderr, "set the variable SERIN_DOWNLOAD_URL");
    const wrong = await setUp({ URL: url, SHA256: "0".repeat(64) });
    assertEquals([wrong.code, wrong.stdout.includes("serin version")], [1, false], wrong.stderr);
    const right = await setUp({ URL: url, SHA256: sha256Hex(fake) });
    assertEquals([right.code, right.stdout], [0, "serin version\n"], right.stderr);
    assertEquals(await Deno.readTextFile(`${folder}/path`), `${folder}/serin\n`);
    // Kept from a job before: no download.
    const kept = await setUp({ URL: "http://127.0.0.1:1/none", SHA256: sha256Hex(fake) });
    assertEquals([kept.code, kept.stdout], [0, "serin version\n"], kept.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
