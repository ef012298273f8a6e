import { isMap, LineCounter, type Node, parseDocument } from "yaml";
import { z } from "zod";
import { didYouMean, LIMITS, SerinError } from "../core/mod.ts";

/** How {@linkcode parseYamlConfig} names things. */
export interface YamlConfigOptions {
  /** What the file is called in error messages. */
  readonly source: string;
  /** Names that other tools use for a setting, e.g. `num_leaves` for `leaves`; for hints only. */
  readonly synonyms?: Readonly<Record<string, string>>;
}

/** One thing that is wrong, and on which line (1-based). */
interface Problem {
  readonly line: number;
  readonly text: string;
}

type Document = ReturnType<typeof parseDocument>;
type Path = readonly PropertyKey[];

/**
 * Reads a YAML 1.2 file (JSON is YAML too) against a schema. All problems are reported at once, each
 * with its line; an unknown key comes with the nearest known one. An empty file is `{}`.
 *
 * @returns the parsed value with the schema's defaults, frozen
 * @throws {SerinError} `configuration`
 */
export function parseYamlConfig<S extends z.ZodType>(
  text: string,
  schema: S,
  options: YamlConfigOptions,
): z.output<S> {
  if (text.length > LIMITS.configBytesMax) {
    throw new SerinError(
      "configuration",
      `${options.source} has more than ${LIMITS.configBytesMax} bytes: current value is ${text.length}`,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      // The parser's own words here are for those who call it.
      text: error.code === "MULTIPLE_DOCS"
        ? "a second document begins (---): keep one"
        : error.message,
    }));
    throw configurationError(options.source, problems);
  }
  const result = schema.safeParse(toValue(document, options.source));
  if (result.success) return deepFreeze(result.data);
  const keys = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const describe = (issue: z.core.$ZodIssue) =>
    describeIssue(issue, document, lines, keys, options);
  throw configurationError(options.source, result.error.issues.flatMap(describe));
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function toValue(document: Document, source: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    // Aliases that multiply ("billion laughs").
    throw new SerinError("configuration", `${source}: ${(cause as Error).message}`, { cause });
  }
}

function describeIssue(
  issue: z.core.$ZodIssue,
  document: Document,
  lines: LineCounter,
  schema: JsonSchema,
  options: YamlConfigOptions,
): Problem[] {
  const at = (path: Path) => lineOf(path, document, lines);
  const name = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(schemaAt(schema, issue.path)?.properties ?? {});
    return issue.keys.map((key) => {
      const full = name === "" ? key : `${name}.${key}`;
      const synonym = options.synonyms?.[key];
      const hint = synonym !== undefined && known.includes(synonym)
        ? `did you mean "${synonym}"?`
        : didYouMean(key, known) ?? `known here: ${known.join(", ")}`;
      return { line: at([...issue.path, key]), text: `there is no setting "${full}": ${hint}` };
    });
  }
  const seen = document.hasIn(issue.path)
    ? `: current value is ${JSON.stringify(plain(document.getIn(issue.path)))}`
    : "";
  const subject = name === "" ? "" : `"${name}": `;
  return [{ line: at(issue.path), text: `${subject}${lowerFirst(issue.message)}${seen}` }];
}

function schemaAt(schema: JsonSchema, path: Path): JsonSchema | undefined {
  let found: JsonSchema | undefined = schema;
  for (const key of path) {
    found = typeof key === "number" ? found?.items : found?.properties?.[String(key)];
  }
  return found;
}

/** The line of a setting's key, or of the nearest thing around it that is written down. */
function lineOf(path: Path, document: Document, lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    const key = path[length - 1];
    let node: unknown;
    if (isMap(parent)) {
      node = parent.items.find((pair) => plain(pair.key) === String(key))?.key;
    } else node = document.getIn(path.slice(0, length), true);
    const range = (node as Node | undefined)?.range;
    if (range !== undefined && range !== null) return lines.linePos(range[0]).line;
  }
  return 1;
}

function plain(value: unknown): unknown {
  const node = value as { value?: unknown; toJSON?: () => unknown } | null;
  return typeof node?.toJSON === "function" ? node.toJSON() : value;
}

function configurationError(source: string, problems: readonly Problem[]): SerinError {
  const sorted = [...problems].sort((a, b) => a.line - b.line);
  const texts = sorted.map(({ line, text }) => `line ${line}: ${text}`);
  const message = texts.length === 1
    ? `${source}: ${texts[0]}`
    : `${source} has ${texts.length} problems:\n  ${texts.join("\n  ")}`;
  return new SerinError("configuration", message, { details: { problems: sorted } });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
