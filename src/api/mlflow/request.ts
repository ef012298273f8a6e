import { z } from "zod";
import { LIMITS, SerinError } from "../../core/mod.ts";
import { isList, type Message, type Parsed, parseMessage } from "../../mlflow/mod.ts";
import { readBody } from "../body.ts";

/**
 * Reads a request: a GET's query, else the JSON body. A body that is no JSON is an empty one, as in
 * MLflow, so that the error names the first missing parameter.
 *
 * @param pathParams what stands in the path, e.g. `{model_id}`
 * @throws {SerinError} `invalid_input` with MLflow's message, `too_large`
 */
export async function readMessage<M extends Message>(
  message: M,
  request: Request,
  pathParams: Readonly<Record<string, string>>,
): Promise<Parsed<M>> {
  if (request.method === "GET") {
    return parseMessage(message, { ...readQuery(message, request), ...pathParams });
  }
  checkContentType(request);
  const body = await readBody(request, LIMITS.mlflowBodyBytesMax);
  const source = new TextDecoder().decode(body);
  const raw = parseObject(source);
  return parseMessage(message, { ...raw, ...pathParams }, raw === undefined ? undefined : source);
}

function readQuery(message: Message, request: Request): Record<string, unknown> {
  const { searchParams } = new URL(request.url);
  const raw: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(message.fields)) {
    if (!searchParams.has(name)) continue;
    const all = searchParams.getAll(name);
    raw[name] = isList(field) ? all : field instanceof z.ZodBoolean ? readWord(all[0]) : all[0];
  }
  // The old name of a run's id.
  if (searchParams.has("run_uuid")) raw.run_uuid = searchParams.get("run_uuid");
  return raw;
}

/** Booleans are words in a query. */
function readWord(text: string): string | boolean {
  const word = text.toLowerCase();
  return word === "true" ? true : word === "false" ? false : text;
}

function checkContentType(request: Request): void {
  if (request.method !== "POST" && request.method !== "PUT") return;
  const type = request.headers.get("content-type");
  if (type === null) {
    throw new SerinError("invalid_input", "Bad Request. Content-Type header is missing.");
  }
  if (type.split(";")[0].trim() !== "application/json") {
    throw new SerinError(
      "invalid_input",
      "Bad Request. Content-Type must be one of ['application/json'].",
    );
  }
}

function parseObject(source: string): Record<string, unknown> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
    // Old clients encode twice.
    if (typeof parsed === "string") parsed = JSON.parse(parsed);
  } catch {
    return undefined;
  }
  const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  return isObject ? parsed as Record<string, unknown> : undefined;
}
