/** The files of the clone that belong to the project, without asking git: an exported tree has none. */

/** A text file; the path is relative to the repository. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Names that say nothing of what is inside. */
export const FORBIDDEN_NAMES =
  /(^|\/)(utils?|helpers?|common|misc|managers?|[a-z_]+_(utils?|helpers?|manager))(\.ts|\/)|(^|\/)(types|index)\.ts$/;

/** Made by tools, see .gitignore; big data; copied from elsewhere. */
const LEFT_OUT =
  /^(\.git|\.deno|\.cache|\.test|node_modules|out|serin-data|data|src\/inference\/vendor|tests\/data)$/;
const TEXT =
  /(\.(ts|js|mjs|json|md|sh|ya?ml|html|css|py|svg|txt|lock)|\/(test|demo|deno|run)|LICENSE)$/;

/** Reads every text file of the project. */
export async function readTree(): Promise<SourceFile[]> {
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  const files: SourceFile[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(root + folder)) {
      const path = folder + name;
      if (LEFT_OUT.test(path) || name === "__pycache__") continue;
      if (isDirectory) await visit(`${path}/`);
      else if (isFile && TEXT.test(path)) {
        files.push({ path, text: await Deno.readTextFile(root + path) });
      }
    }
  };
  await visit("");
  return files.toSorted((a, b) => a.path < b.path ? -1 : 1);
}
