/**
 * Compiled with the flags of the executable, it gives up what `serin serve` gives up, then tries what
 * must be refused: in the main isolate and in a data isolate. Prints both as JSON.
 */
import { serveCommand } from "../../src/commands/serve.ts";
import { keepPermissions } from "../../src/core/mod.ts";
import { tryAll } from "./attempts.ts";
import { isolateAttempts } from "./isolate_attempts.ts";

const [folder] = Deno.args;
keepPermissions(serveCommand.permissions);
const main = await tryAll(folder);
console.log(JSON.stringify({ main, isolate: await isolateAttempts(folder) }));
