/** What serving code must not be able to do, each tried for real. */
import { spawnSync } from "node:child_process";
import process from "node:process";

/** By attempt: "done", or the error that it ended with. */
export type Attempts = Record<string, string>;

/**
 * @param folder an existing folder with a file `secret.txt` in it
 */
export async function tryAll(folder: string): Promise<Attempts> {
  const attempts: Record<string, () => unknown> = {
    "write a file": () => Deno.writeTextFile(`${folder}/written.txt`, "written"),
    "read a file": () => Deno.readTextFile(`${folder}/secret.txt`),
    "start a process": () => new Deno.Command("true").output(),
    "start a process through node": () => {
      const { error } = spawnSync("true");
      if (error !== undefined) throw error;
    },
    "read the environment": () => Deno.env.get("PATH"),
    "read the environment through node": () => process.env.PATH,
    "load native code": () => Deno.dlopen("libc.so.6", {}),
    "ask for the host's name": () => Deno.hostname(),
    // Port 1 answers nobody: who may import fails later, with another message.
    "import code from a host": () => import(["http://127.0.0.1:1", "code.ts"].join("/")),
    "give a worker more": () => startWorkerThatMayRun(),
    "listen on a port": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  };
  const results: Attempts = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      results[name] = "done";
    } catch (thrown) {
      results[name] = String(thrown);
    }
  }
  return results;
}

function startWorkerThatMayRun(): void {
  const permissions = { run: true } as const;
  new Worker("data:text/javascript,", { type: "module", deno: { permissions } }).terminate();
}

/** @returns the attempts that were refused for want of a permission */
export function refusedOf(attempts: Attempts): string[] {
  // A compiled program finds embedded modules only, whatever it may do.
  const refusal = /NotCapable|Requires \w+ access|Module not found: http/;
  return Object.keys(attempts).filter((name) => refusal.test(attempts[name]));
}
