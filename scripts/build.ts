/**
 * `deno task build [--output FILE]`: one executable, with an explicit list of permissions and only
 * the files that it needs.
 */
import { COMPILE_FLAGS } from "./compile_flags.ts";
import { findDenort } from "./denort.ts";

const root = new URL("../", import.meta.url);
const path = (relative: string) => decodeURIComponent(new URL(relative, root).pathname);
const output = Deno.args[0] === "--output" ? Deno.args[1] : path("serin");

/** Files that no import names: workers' entry points and what is read at run time. */
const INCLUDED = [
  "src/inference/vendor/ort.wasm.bin",
  "src/serving/data_isolate.ts",
  "src/commands/registry_isolate.ts",
  "src/commands/train_isolate.ts",
  "src/commands/gate_isolate.ts",
  "src/web/pages",
  "dashboards",
  "data/elec2.csv",
];

await Deno.mkdir(path(".cache"), { recursive: true });
const denort = await findDenort(path(".cache"));
const args = [
  "compile",
  ...COMPILE_FLAGS,
  ...INCLUDED.flatMap((file) => ["--include", path(file)]),
  ...["--output", `${output}.new`, path("main.ts")],
];
const { success, code } = await new Deno.Command(Deno.execPath(), {
  args,
  cwd: path("."),
  env: denort === undefined ? {} : { DENORT_BIN: denort },
}).spawn().status;
if (!success) Deno.exit(code);
// The old binary may be running: a rename leaves it alone, writing over it would fail.
await Deno.rename(`${output}.new`, output);
const { size } = await Deno.stat(output);
console.error(`build: ${output} (${(size / 1e6).toFixed(1)} MB)`);
