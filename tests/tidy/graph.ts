/** The import graph, as `deno info --json` sees it. */
import type { SourceFile } from "./tree.ts";

/** One import. */
export interface Edge {
  readonly to: string;
  /** Not a dynamic import. */
  readonly isStatic: boolean;
  /** Loaded when the program runs: not a type import. */
  readonly isLoaded: boolean;
}

/** From a file (relative to the repository) or a package to what it imports. */
export type Graph = ReadonlyMap<string, readonly Edge[]>;

interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string; readonly error?: string };
    readonly type?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/**
 * @param files every one is in the graph: Workers and tests are reached by no import
 * @throws where an import leads nowhere
 */
export async function readGraph(files: readonly SourceFile[]): Promise<Graph> {
  const root = new URL("../../", import.meta.url).href;
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = files.map(({ path }) => `import ${JSON.stringify(root + encodeURI(path))};`);
    await Deno.writeTextFile(entry, imports.join("\n"));
    const config = decodeURIComponent(new URL("deno.json", root).pathname);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--config", config, entry],
    }).output();
    if (!success) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr)}`);
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: InfoModule[] };
    const nameOf = (specifier: string) => specifier.replace(root, "");
    return new Map(
      modules
        .filter(({ specifier }) => specifier.startsWith(root))
        .map((module) => [nameOf(module.specifier), edgesOf(module, nameOf)]),
    );
  } finally {
    await Deno.remove(entry);
  }
}

function edgesOf({ dependencies = [] }: InfoModule, nameOf: (s: string) => string): Edge[] {
  return dependencies.flatMap(({ code, type, isDynamic = false }) => {
    if (code?.error !== undefined) throw new Error(code.error);
    const edges = [{ specifier: code?.specifier, isLoaded: true }];
    edges.push({ specifier: type?.specifier, isLoaded: false });
    return edges.flatMap(({ specifier, isLoaded }) =>
      specifier === undefined ? [] : [{ to: nameOf(specifier), isStatic: !isDynamic, isLoaded }]
    );
  });
}

/** @returns everything that can be reached over such edges, the start included */
export function reachedFrom(
  graph: Graph,
  start: string,
  follows: (edge: Edge) => boolean,
): Set<string> {
  const reached = new Set([start]);
  // A set may grow while it is walked.
  for (const name of reached) {
    for (const edge of graph.get(name) ?? []) if (follows(edge)) reached.add(edge.to);
  }
  return reached;
}

/** @returns the files of one cycle, in order, or undefined */
export function findCycle(graph: Graph, follows: (edge: Edge) => boolean): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | undefined => {
    if (done.has(name)) return undefined;
    const at = path.indexOf(name);
    if (at >= 0) return [...path.slice(at), name];
    path.push(name);
    for (const edge of graph.get(name) ?? []) {
      const cycle = follows(edge) ? visit(edge.to) : undefined;
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const name of graph.keys()) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
