import { sha256Hex } from "../../src/core/mod.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const REQUIREMENTS = `${ROOT}tests/mlflow/requirements.txt`;
const CACHE = Deno.env.get("SERIN_TEST_CACHE") ?? `${ROOT}.cache`;

/**
 * The Python of a virtual environment with the stock MLflow client, made at its first use (about 1 GB
 * into the cache) and again when its requirements change; shared by all tests.
 *
 * @returns the interpreter, or why there is none
 */
export async function prepareMlflowPython(): Promise<{ python: string } | { missing: string }> {
  const venv = `${CACHE}/venv-mlflow`;
  const python = `${venv}/bin/python`;
  const wanted = sha256Hex(await Deno.readTextFile(REQUIREMENTS));
  const stamp = `${venv}/requirements.sha256`;
  const found = await Deno.readTextFile(stamp).catch(() => "");
  if (found === wanted) return { python };
  await Deno.mkdir(CACHE, { recursive: true });
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", venv]],
    [python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]],
  ];
  for (const [command, args] of steps) {
    const problem = await runOrSay(command, args);
    if (problem !== undefined) return { missing: problem };
  }
  await Deno.writeTextFile(stamp, wanted);
  return { python };
}

/** @returns a suffix for a test's name that says why it is ignored; "" where it is not */
export function skipSuffix(prepared: { python: string } | { missing: string }): string {
  return "missing" in prepared ? ` (skipped: ${prepared.missing})` : "";
}

/** @returns what went wrong, or undefined */
async function runOrSay(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(command, {
      args,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const text = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    return `${command} ${args.join(" ")} failed: ${text}`;
  } catch (cause) {
    return `${command} cannot be run: ${cause instanceof Error ? cause.message : cause}`;
  }
}
