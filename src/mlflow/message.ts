import { z } from "zod";
import { SerinError } from "../core/mod.ts";

/** The fields of a request. */
export type Fields = Readonly<Record<string, z.ZodType>>;

/** A request of MLflow's REST API. Unknown fields are ignored, null is not given. */
export interface Message<F extends Fields = Fields, R extends string = string> {
  readonly fields: F;
  readonly required: readonly R[];
  /** Field → what each of its items must have, e.g. `{metrics: ["key", "value"]}`. */
  readonly itemsRequired: Readonly<Record<string, readonly string[]>>;
}

/** A request that was read. */
export type Parsed<M> = M extends Message<infer F, infer R> ?
    & { [K in keyof F & R]: z.output<F[K]> }
    & { [K in Exclude<keyof F, R>]?: z.output<F[K]> }
  : never;

/** Declares a request. */
export function message<F extends Fields, const R extends keyof F & string = never>(
  fields: F,
  required: readonly R[] = [],
  itemsRequired: Readonly<Record<string, readonly string[]>> = {},
): Message<F, R> {
  return { fields, required, itemsRequired };
}

/** @returns the fields that are lists (in a query they are repeated) */
export function isList(field: z.ZodType): boolean {
  return field instanceof z.ZodArray;
}

const DOCS = " See the API docs for more information about request parameters.";

/**
 * Reads a request as MLflow's handlers do (`_validate_request_json_with_schema`): field after field,
 * the first that is wrong is the error.
 *
 * @param raw the body, or the query as an object
 * @param source the body's text, so that the error shows a value as it was written (9.0, not 9)
 * @throws {SerinError} `invalid_input` with MLflow's message
 */
export function parseMessage<M extends Message>(
  message: M,
  raw: Readonly<Record<string, unknown>>,
  source?: string,
): Parsed<M> {
  const parsed: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(message.fields)) {
    const value = raw[name] ?? (name === "run_id" ? raw.run_uuid : undefined) ?? undefined;
    if (value === undefined || value === "") {
      if (message.required.includes(name)) throw missing(name);
      if (value === undefined) continue;
    }
    checkItems(name, value, message.itemsRequired[name]);
    const result = field.safeParse(value);
    if (!result.success) throw wrong(name, value, source);
    parsed[name] = result.data;
  }
  return parsed as Parsed<M>;
}

function checkItems(name: string, value: unknown, required: readonly string[] = []): void {
  if (!Array.isArray(value)) return;
  value.forEach((item, i) => {
    for (const key of required) {
      const found = (item as Record<string, unknown> | null)?.[key];
      if (found === undefined || found === null || found === "") {
        throw missing(`${name}[${i}].${key}`);
      }
    }
  });
}

function missing(name: string): SerinError {
  return new SerinError("invalid_input", `Missing value for required parameter '${name}'.${DOCS}`);
}

function wrong(name: string, value: unknown, source: string | undefined): SerinError {
  const written = typeof value === "number" ? writtenNumber(name, source) : undefined;
  const shown = written ?? JSON.stringify(value);
  const kind = typeof value === "string"
    ? "str"
    : typeof value === "boolean"
    ? "bool"
    : typeof value === "number"
    ? /[.eE]/.test(shown) ? "float" : "int"
    : Array.isArray(value)
    ? "list"
    : "dict";
  return new SerinError(
    "invalid_input",
    `Invalid value ${shown} for parameter '${name}' supplied:  Hint: Value was of type '${kind}'.` +
      DOCS,
  );
}

/** The number of a field of the outermost object, letter for letter. */
function writtenNumber(name: string, source: string | undefined): string | undefined {
  if (source === undefined) return undefined;
  let written: string | undefined;
  const revive = (key: string, value: unknown, context?: { source?: string }) => {
    // Fields are visited from the inside out, so the outermost one comes last.
    if (key === name && typeof value === "number") written = context?.source;
    return value;
  };
  JSON.parse(source, revive);
  return written;
}
