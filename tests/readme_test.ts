/** What the README tells a reader to type does what it says, with the ports moved out of the way. */
import { assertIncludes, assertTrue, freePort, serinCommand, until } from "../src/testing/mod.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** @returns the shell blocks of the README, in their order */
async function readBlocks(): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}README.md`);
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);
}

/** Runs a block as a reader would, in a folder of its own; its background jobs end with it. */
async function runBlock(block: string, then: (ports: Map<string, number>) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  const ports = new Map(["5000", "8080", "8081"].map((port) => [port, freePort()]));
  const { command, args } = serinCommand();
  const serin = [command, ...args].map((word) => `'${word}'`).join(" ");
  const flags = `--port ${ports.get("8080")} --admin-port ${ports.get("8081")}`;
  const moved = block
    .replaceAll("localhost:5000", `localhost:${ports.get("5000")}`)
    .replaceAll("localhost:8080", `localhost:${ports.get("8080")}`)
    .replace("serin registry", `serin registry --port ${ports.get("5000")}`)
    .replace(/serin serve (.*) &/, `serin serve $1 ${flags} &`);
  const script = [
    "set -eu",
    `serin() { ${serin} "$@"; }`,
    // A reader waits a moment after starting a server; a script has to.
    'curl() { command curl --retry 60 --retry-delay 1 --retry-all-errors --fail-with-body "$@"; }',
    moved,
    "echo && echo done",
    "wait",
  ].join("\n");
  await Deno.symlink(`${ROOT}data`, `${folder}/data`);
  const child = new Deno.Command("setsid", {
    args: ["bash", "-c", script],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) text += part;
  });
  let ended = false;
  child.status.then(() => ended = true);
  try {
    const isThrough = () => /^done$/m.test(text);
    await until("the block is through", () => ended || isThrough(), 120_000);
    if (!isThrough()) throw new Error("the block ended before its last line");
    await then(ports);
  } catch (thrown) {
    throw new Error(`${thrown}\n${text.slice(-3000)}`);
  } finally {
    // The whole session: the shell and the servers that it left in the background.
    await new Deno.Command("pkill", { args: ["-TERM", "-s", String(child.pid)] }).output();
    await child.status;
    await Promise.all(reading);
    await Deno.remove(folder, { recursive: true });
  }
  return text;
}

const blocks = await readBlocks();

Deno.test("README: train, predict and serve a folder by hand", async () => {
  const block = blocks.find((text) => text.includes("serin predict"))!;
  const text = await runBlock(block, () => Promise.resolve());
  assertIncludes(text, '{"predictions":[{"label":');
});

Deno.test("README: two versions, an alias followed, a challenger that begins a rollout", async () => {
  const block = blocks.find((text) => text.includes("challenger"))!;
  await runBlock(block, async (ports) => {
    const rollout = await until("the rollout has begun", async () => {
      const answer = await fetch(`http://localhost:${ports.get("5000")}/api/serin/v1/rollouts`);
      return (await answer.json()).rollouts[0];
    });
    assertTrue(rollout.stable === "1" && rollout.canary === "2", JSON.stringify(rollout));
  });
});
