/**
 * How serin is compiled, in one place: `scripts/build.ts` builds the executable with it, and
 * `tests/binary_test.ts` a probe that tries what must be refused.
 */

/** No `run` and no `ffi`: no command starts a process or loads native code. */
const PERMISSIONS = ["read", "write", "net", "env", "sys"].map((kind) => `--allow-${kind}`);

/** Flags of `deno compile`, besides the files to include and the output. */
export const COMPILE_FLAGS: readonly string[] = [
  ...["--quiet", "--frozen", "--no-prompt", "--unstable-net", "--unstable-worker-options"],
  ...PERMISSIONS,
  // Deno's default list of hosts that code may come from would stand in the executable otherwise.
  "--deny-import",
  // See docs/decisions/0008: isolates that wait for V8's one background thread stand still for seconds.
  "--v8-flags=--single-threaded-gc",
];
