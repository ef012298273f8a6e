import type { CommandContext } from "../cli/mod.ts";
import { formatYaml } from "../config/mod.ts";
import { OutputFolder, SerinError, storageError } from "../core/mod.ts";
import {
  isGeneratedManifest,
  type Overlay,
  renderKustomizeTree,
  renderManifests,
} from "../deploy/mod.ts";

/** The options of `serin manifests render`. */
export interface ManifestsRenderOptions {
  readonly overlay?: Overlay | undefined;
  readonly set: readonly string[];
  readonly output?: string | undefined;
}

/** How many foreign files an error names. */
const NAMED_MAX = 5;

/** Prints the objects, or writes the tree. */
export async function run(
  options: ManifestsRenderOptions,
  context: CommandContext,
): Promise<void> {
  const { overlay, set, output } = options;
  if (output === undefined) {
    context.print(formatYaml(renderManifests({ overlay, set })).trimEnd());
    return;
  }
  if (overlay !== undefined) {
    throw new SerinError(
      "usage",
      `--output writes every overlay: --overlay ${overlay} says nothing`,
      {
        hint: "leave --overlay out, or leave --output out and keep what is printed",
      },
    );
  }
  const tree = renderKustomizeTree(set);
  await refuseForeignFiles(output);
  await using folder = await OutputFolder.open(output, true);
  const encoder = new TextEncoder();
  await folder.write(new Map([...tree].map(([path, text]) => [path, encoder.encode(text)])));
  context.log.info(`${tree.size} files written to ${output}`);
}

/**
 * The folder is replaced whole: what serin has not generated must not be in it.
 *
 * @throws {SerinError} `already_exists`
 */
async function refuseForeignFiles(folder: string): Promise<void> {
  const foreign: string[] = [];
  const visit = async (path: string) => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(folder + path)) {
      const inside = `${path}/${name}`;
      if (isDirectory) await visit(inside);
      else if (!isFile || !isGeneratedManifest(await Deno.readTextFile(folder + inside))) {
        foreign.push(inside.slice(1));
      }
    }
  };
  try {
    await visit("");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return;
    throw storageError(`Cannot read ${folder}`, cause);
  }
  if (foreign.length === 0) return;
  const named = foreign.toSorted().slice(0, NAMED_MAX).join(", ");
  const more = foreign.length > NAMED_MAX ? ` and ${foreign.length - NAMED_MAX} more` : "";
  throw new SerinError(
    "already_exists",
    `${folder} holds what serin has not made: ${named}${more}`,
    {
      hint: "choose a folder of its own for --output, or move these files",
      details: { foreign },
    },
  );
}
