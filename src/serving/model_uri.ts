import { SerinError } from "../core/mod.ts";

/** Where a served model comes from. */
export type ModelUri =
  /** A registered model by alias: followed while it is served. */
  | { readonly kind: "alias"; readonly model: string; readonly alias: string }
  /** One version of a registered model. */
  | { readonly kind: "version"; readonly model: string; readonly version: string }
  /** A run's artifact folder. */
  | { readonly kind: "run"; readonly run: string; readonly path: string }
  /** A folder or an .onnx file. */
  | { readonly kind: "path"; readonly path: string };

/**
 * Reads `models:/name@alias`, `models:/name/3`, `runs:/ID/path`, a folder or a file.
 *
 * @throws {SerinError} `usage` for a scheme or a form that there is not
 */
export function parseModelUri(text: string): ModelUri {
  if (text.startsWith("models:/")) return parseModels(text);
  if (text.startsWith("runs:/")) {
    const [run, ...path] = text.slice("runs:/".length).split("/");
    if (run !== "" && path.join("/") !== "") return { kind: "run", run, path: path.join("/") };
    throw badUri(text, "a run's artifact is runs:/RUN_ID/PATH");
  }
  if (text.startsWith("file://")) return { kind: "path", path: decodeURIComponent(text.slice(7)) };
  const scheme = /^([a-z][a-z0-9+.-]+):\/?/i.exec(text)?.[1];
  if (scheme !== undefined) throw badUri(text, `the scheme ${scheme}: is not known`);
  if (text === "") throw badUri(text, "it is empty");
  return { kind: "path", path: text };
}

function parseModels(text: string): ModelUri {
  const rest = text.slice("models:/".length);
  const at = rest.lastIndexOf("@");
  const slash = rest.lastIndexOf("/");
  if (at > 0 && at > slash && at < rest.length - 1) {
    return { kind: "alias", model: decode(rest.slice(0, at)), alias: rest.slice(at + 1) };
  }
  const version = rest.slice(slash + 1);
  if (slash > 0 && /^[1-9]\d*$/.test(version)) {
    return { kind: "version", model: decode(rest.slice(0, slash)), version };
  }
  throw badUri(text, "a registered model is models:/NAME@ALIAS or models:/NAME/VERSION");
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function badUri(text: string, why: string): SerinError {
  return new SerinError("usage", `"${text}" is no model: ${why}`, {
    hint: "use models:/name@alias, models:/name/3, runs:/ID/path, a folder or an .onnx file",
  });
}
