import { LIMITS, messageOf, SerinError } from "../core/mod.ts";
import type { ModelFile } from "../inference/mod.ts";
import { readModel } from "../onnx/mod.ts";

/**
 * Looks into an ONNX file before any engine gets it.
 *
 * @throws {SerinError} `invalid_model` for bytes that are no whole model
 */
export function toModelFile(
  model: string,
  version: string,
  bytes: Uint8Array,
  registered = model,
): ModelFile {
  try {
    const { metadata } = readModel(bytes);
    const missingAllowed = metadata.get("serin.missing_values") === "allowed";
    return { model, registered, version, bytes, missingAllowed };
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    throw new SerinError(thrown.code, `${model} version ${version}: ${thrown.message}`, {
      hint: thrown.hint,
      cause: thrown,
    });
  }
}

/**
 * Reads an `.onnx` file, or the one in a model folder (`model.onnx`, else the only `*.onnx`).
 *
 * @throws {SerinError} `not_found` or `invalid_model`, naming the path
 */
export async function readModelPath(path: string): Promise<Uint8Array> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info === undefined) {
    throw new SerinError("not_found", `There is no file or folder ${path}`, {
      hint: "give a folder that `serin train` wrote, or an .onnx file",
    });
  }
  try {
    const file = info.isDirectory ? `${path}/${await findOnnx(path)}` : path;
    const { size } = await Deno.stat(file);
    if (size <= LIMITS.modelBytesMax) return await Deno.readFile(file);
    throw new SerinError("too_large", `${file} has ${size} bytes, at most ${LIMITS.modelBytesMax}`);
  } catch (thrown) {
    if (thrown instanceof SerinError) throw thrown;
    throw new SerinError("storage", `Cannot read the model ${path}: ${messageOf(thrown)}`, {
      hint: "is it a file that this user may read?",
      cause: thrown,
    });
  }
}

/** @returns the name that a folder or file is served by when none is given */
export function nameOfPath(path: string): string {
  const parts = path.replace(/\/+$/, "").split("/").filter((part) => part !== "." && part !== "");
  const name = (parts.at(-1) ?? "model").replace(/\.onnx$/, "");
  return name === ".." || name === "" ? "model" : name;
}

async function findOnnx(folder: string): Promise<string> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    // Mounted volumes and download caches give files as links.
    if (!entry.isDirectory && entry.name.endsWith(".onnx")) names.push(entry.name);
  }
  if (names.includes("model.onnx")) return "model.onnx";
  if (names.length === 1) return names[0];
  const seen = names.length === 0 ? "no .onnx file" : `several: ${names.sort().join(", ")}`;
  throw new SerinError("not_found", `The folder ${folder} holds ${seen}`, {
    hint: "give the .onnx file itself",
  });
}
