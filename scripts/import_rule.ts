/**
 * The rule behind the import table: may this file have this import? Pure, so that the lint plugin and
 * the tests ask the same function.
 */
import {
  ENTRY_IMPORTS,
  ENTRY_POINT,
  EVERYWHERE,
  GUARDED_BUILTINS,
  type Room,
  ROOMS,
  TEST_ROOM,
  WORKER_ENTRIES,
} from "./import_table.ts";

/** A place in `src/`: its room, and its path inside it. */
interface Place {
  readonly room: string;
  readonly path: string;
}

/**
 * @param file importing file, relative to the repository, with `/`
 * @param specifier what stands in the import
 * @returns what is wrong, or undefined
 *
 * @example A level-1 room may not reach up
 * ```ts
 * import { importProblem } from "./import_rule.ts";
 * console.assert(importProblem("src/onnx/a.ts", "../core/mod.ts") === undefined);
 * console.assert(importProblem("src/onnx/a.ts", "../train/mod.ts")!.includes("onnx may not import train"));
 * ```
 */
export function importProblem(file: string, specifier: string): string | undefined {
  if (file !== ENTRY_POINT && !file.startsWith("src/")) return undefined;
  if (!specifier.startsWith(".")) return outsideProblem(file, specifier);
  const target = resolve(file, specifier);
  const owner = ownerOf(target);
  if (owner !== undefined && owner !== placeOf(file)?.room) {
    return `${target} is imported by ${owner} only`;
  }
  const to = placeOf(target);
  if (to === undefined) return `${target} is not a room of src/ (scripts/import_table.ts)`;
  return file === ENTRY_POINT ? entryProblem(to) : roomProblem(file, placeOf(file)!, to);
}

function entryProblem(to: Place): string | undefined {
  if (!ENTRY_IMPORTS.includes(to.room)) {
    return `${ENTRY_POINT} may import ${ENTRY_IMPORTS.join(", ")} only`;
  }
  return isDoor(to) ? undefined : `import ${to.room}/mod.ts, its door, not ${to.path}`;
}

function roomProblem(file: string, from: Place, to: Place): string | undefined {
  if (from.room === to.room) return insideProblem(file, from, to);
  if (isTest(file) || from.room === TEST_ROOM) return undefined;
  if (to.room === TEST_ROOM) return "shipped code may not import test code";
  const room = ROOMS[from.room];
  if (room === undefined) return `the room ${from.room} is not in scripts/import_table.ts`;
  if (!room.imports.includes(to.room)) {
    return `${from.room} may not import ${to.room} (it may: ${
      room.imports.join(", ") || "nothing"
    })`;
  }
  if (isDoor(to) || WORKER_ENTRIES.includes(file)) return undefined;
  return `import ${to.room}/mod.ts, its door, not ${to.path}`;
}

/** Inside a room: never through its own door. A family's door is open to the rest of the room. */
function insideProblem(file: string, from: Place, to: Place): string | undefined {
  if (isTest(file) || !to.path.endsWith("mod.ts")) return undefined;
  if (to.path === "mod.ts") return "a file may not import its own room's mod.ts: name the file";
  return folderOf(from.path) === folderOf(to.path)
    ? "a file may not import its own family's mod.ts: name the file"
    : undefined;
}

function outsideProblem(file: string, specifier: string): string | undefined {
  if (/^(https?|jsr):/.test(specifier)) return "everything installs from npm, named in deno.json";
  if (specifier.startsWith("node:")) {
    return GUARDED_BUILTINS.includes(specifier) ? ownedProblem(file, specifier) : undefined;
  }
  if (specifier.startsWith("npm:")) return "name the package in deno.json, import it by its name";
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  return EVERYWHERE.includes(name) ? undefined : ownedProblem(file, name);
}

/** Tests may check against any library that is there; they are not shipped. */
function ownedProblem(file: string, name: string): string | undefined {
  if (isTest(file)) return undefined;
  const owner = ownerOf(name);
  if (owner === undefined) return `${name} belongs to no room: enter it in scripts/import_table.ts`;
  return placeOf(file)?.room === owner ? undefined : `${name} is imported by ${owner} only`;
}

function ownerOf(outside: string): string | undefined {
  return Object.entries(ROOMS).find(([, room]) => room.outside?.includes(outside))?.[0];
}

/** `mod.ts` of a room or of a family in it, `config.ts`, and what the table names. */
function isDoor({ room, path }: Place): boolean {
  const entry: Room | undefined = ROOMS[room];
  if (path === "mod.ts" || path === "config.ts") return true;
  return /^[a-z0-9_]+\/mod\.ts$/.test(path) || entry?.doors?.[path] !== undefined;
}

function isTest(file: string): boolean {
  return /_(test|bench)\.ts$/.test(file);
}

function placeOf(path: string): Place | undefined {
  const match = /^src\/([^/]+)\/(.+)$/.exec(path);
  return match === null ? undefined : { room: match[1], path: match[2] };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** `src/a/b.ts` and `../c/mod.ts` → `src/c/mod.ts`. */
function resolve(file: string, specifier: string): string {
  const base = new URL(`file:///${file}`);
  return decodeURIComponent(new URL(specifier, base).pathname).slice(1);
}
