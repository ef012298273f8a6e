import { z } from "zod";
import { SerinError } from "../core/mod.ts";
import { assertEquals, assertIncludes } from "../testing/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { parseCommandLine } from "./parse.ts";

const demo = defineCommand({
  name: "demo",
  summary: "Show it",
  positionals: [{ name: "FOLDER", summary: "Where", optional: true }],
  options: z.strictObject({
    keep: z.boolean().default(false).meta({ description: "Go on", env: "X_KEEP" }),
    port: z.int().min(0).max(65535).default(8080).meta({ description: "Port", placeholder: "P" }),
    model: z.array(z.string()).default([]).meta({ description: "What", placeholder: "URI" }),
    adminPort: z.int().optional().meta({ description: "Admin" }),
    target: z.string().min(1).meta({ description: "Column" }),
    passPhrase: z.string().min(8).optional().meta({
      description: "Opens it",
      env: ["X_PASS", "Y_PASS"],
      secret: true,
    }),
  }),
  permissions: [],
  load: () => Promise.reject(new Error("not loaded in this test")),
}) as unknown as Command;
const replay = { ...demo, name: "canary replay" } as Command;
const COMMANDS = [demo, replay];

/** What a command line means, or the problems that are told. */
function checkParse(line: string, env: Record<string, string> = {}): unknown {
  try {
    const parsed = parseCommandLine(COMMANDS, line.split(" ").filter(Boolean), (name) => env[name]);
    return parsed.kind === "run"
      ? { ...parsed.options as object, at: parsed.positionals }
      : "printed";
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    assertEquals(thrown.exit, 2);
    return thrown.details?.problems ?? `${thrown.message} ${thrown.hint}`;
  }
}

const DEFAULTS = { keep: false, port: 8080, model: [], target: "y", at: [undefined] };

Deno.test("flags become options: kebab case, repeats, =, numbers, defaults", () => {
  assertEquals(checkParse("demo --target y"), DEFAULTS);
  assertEquals(checkParse("demo folder --target=y --admin-port 0 --model a --model b --keep"), {
    ...DEFAULTS,
    keep: true,
    model: ["a", "b"],
    adminPort: 0,
    at: ["folder"],
  });
});

Deno.test("every problem of a command line is told, not only the first", () => {
  assertEquals(checkParse("demo --prot 1 --keeep --port x --port 70000"), [
    'unknown option --prot (did you mean "--port"?)',
    'unknown option --keeep (did you mean "--keep"?)',
    "--port was given 2 times",
    "--port: Too big: expected number to be <=65535",
    "missing --target TEXT",
  ]);
  assertEquals(checkParse("demo one two --target y"), ['unexpected argument "two"']);
});

Deno.test("an empty or half number is no number", () => {
  for (const text of ["", "1x", "0x10", "Infinity", "1e", "."]) {
    const [problem] = checkParse(`demo --target y --port=${text}`) as string[];
    assertIncludes(problem, "--port: Invalid input: expected number, received string");
  }
});

Deno.test("an environment variable counts where no flag does, and false is false", () => {
  assertEquals(checkParse("demo --target y", { X_KEEP: "false" }), DEFAULTS);
  assertEquals(checkParse("demo --target y", { X_KEEP: "1" }), { ...DEFAULTS, keep: true });
  assertEquals(checkParse("demo --target y", { X_KEEP: "" }), DEFAULTS);
  assertEquals(checkParse("demo --target y", { X_KEEP: "perhaps" }), [
    "--keep: Invalid input: expected boolean, received string",
  ]);
});

Deno.test("a secret comes from the environment alone, and no message holds its value", () => {
  const options = (env: Record<string, string>) => checkParse("demo --target y", env);
  assertEquals(options({ X_PASS: "long enough" }), { ...DEFAULTS, passPhrase: "long enough" });
  assertEquals(options({ X_PASS: "", Y_PASS: "second one" }), {
    ...DEFAULTS,
    passPhrase: "second one",
  });
  assertEquals(options({ X_PASS: "first one", Y_PASS: "second one" }), {
    ...DEFAULTS,
    passPhrase: "first one",
  });
  assertEquals(options({ X_PASS: "short" }), [
    "X_PASS or Y_PASS: Too small: expected string to have >=8 characters",
  ]);
  assertEquals(checkParse("demo --target y --pass-phrase abcdefgh"), [
    "unknown option --pass-phrase",
  ]);
  assertEquals(checkParse("demo --target y --pass-phrase=abcdefgh"), [
    "unknown option --pass-phrase",
  ]);
});

Deno.test("commands: groups, near misses, help and version", () => {
  assertEquals(checkParse("canary replay --target y"), DEFAULTS);
  assertIncludes(String(checkParse("canary repaly")), 'did you mean "canary replay"?');
  assertIncludes(String(checkParse("dmeo")), 'There is no command "dmeo" did you mean "demo"?');
  assertIncludes(String(checkParse("--verison")), 'did you mean "--version"?');
  for (const line of ["", "help", "--help", "-h", "--version", "canary", "help demo", "demo -h"]) {
    assertEquals(checkParse(line), "printed", line);
  }
});

Deno.test("help shows options with defaults, placeholders and environment", () => {
  const parsed = parseCommandLine(COMMANDS, ["demo", "--help"]);
  const text = parsed.kind === "print" ? parsed.text : "";
  assertIncludes(text, "--port <P>");
  assertIncludes(text, "default 8080");
  assertIncludes(text, "environment X_KEEP");
  assertIncludes(text, "--model <URI>");
  assertIncludes(text, "Environment only, never flags:\n  X_PASS or Y_PASS\n      Opens it");
  assertEquals(text.includes("--pass-phrase"), false);
});
