import type { CommandContext } from "../cli/mod.ts";
import { VERSION } from "../core/mod.ts";

/** Prints versions. */
export function run(options: { json: boolean }, context: CommandContext): Promise<void> {
  const versions = { serin: VERSION, deno: Deno.version.deno, v8: Deno.version.v8 };
  context.print(
    options.json
      ? JSON.stringify(versions)
      : `serin ${VERSION} (deno ${versions.deno}, v8 ${versions.v8})`,
  );
  return Promise.resolve();
}
