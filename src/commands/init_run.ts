import type { CommandContext } from "../cli/mod.ts";
import { OutputFolder, SerinError } from "../core/mod.ts";
import { modelRepository } from "../starter/mod.ts";

/** The options of `serin init`. */
export interface InitOptions {
  readonly model?: string | undefined;
  readonly json: boolean;
}

/** Writes the repository. */
export async function run(options: InitOptions, context: CommandContext): Promise<void> {
  const folder = context.positionals[0]!;
  const name = nameOf(folder), model = options.model ?? name;
  const files = modelRepository({ model });
  await using output = await openFolder(folder);
  await output.write(files);
  const paths = [...files.keys()].sort();
  if (options.json) {
    context.print(JSON.stringify({ folder, model, files: paths }));
    return;
  }
  for (const path of paths) context.print(`${folder}/${path}`);
  context.print("");
  context.print(`The repository of ${model} is written. README.md says what it does; next:`);
  context.print(`  cd ${folder} && git init --initial-branch=main && git add .`);
}

/** The folder's own name. A shell that stands in the folder would be left in one that is gone. */
function nameOf(folder: string): string {
  const name = folder.replace(/\/+$/, "").split("/").at(-1)!;
  if (!["", ".", ".."].includes(name)) return name;
  throw new SerinError("usage", `serin init ${folder}: name a folder that is to be made`, {
    hint: "e.g. serin init parcels",
  });
}

async function openFolder(folder: string): Promise<OutputFolder> {
  try {
    return await OutputFolder.open(folder, false);
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "already_exists") throw thrown;
    throw new SerinError("already_exists", thrown.message, {
      hint: "name a new folder: what is there already is never written over",
      cause: thrown,
    });
  }
}
