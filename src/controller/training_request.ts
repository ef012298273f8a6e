import { z } from "zod";
import { didYouMean, SerinError, sha256Hex } from "../core/mod.ts";

const requestSchema = z.strictObject({
  id: z.string().trim().min(1).max(200),
  arguments: z.array(z.string().max(4096)).max(200).default([]),
});

/** The tag `serin.training_request` of a registered model. */
export type TrainingRequest = z.output<typeof requestSchema>;

const statusSchema = z.object({
  id: z.string(),
  phase: z.enum(["running", "succeeded", "failed"]),
  /** The Job's name; "" where there is none (yet). */
  job: z.string().default(""),
  message: z.string().default(""),
  /** RFC 3339; "" where it is not known. */
  startedAt: z.string().default(""),
  endedAt: z.string().default(""),
});

/** The tag `serin.training_status` of a registered model. */
export type TrainingStatus = z.output<typeof statusSchema>;

/**
 * @throws {SerinError} `invalid_input` with every problem
 */
export function parseTrainingRequest(text: string): TrainingRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refusal(`it is no JSON: ${(cause as Error).message}`);
  }
  const result = requestSchema.safeParse(json);
  if (result.success) return result.data;
  const known = Object.keys(requestSchema.shape);
  throw refusal(
    result.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) =>
          `"${key}" is not known: ${didYouMean(key, known) ?? `there are ${known.join(", ")}`}`
        )
        : [`${issue.path.map(String).join(".") || "the whole"}: ${issue.message}`]
    ).join("; "),
  );
}

/** @returns the id of a request that is refused, or what stands for it where none can be read */
export function refusedId(text: string): string {
  try {
    const id = requestSchema.shape.id.safeParse(JSON.parse(text)?.id);
    if (id.success) return id.data;
  } catch {
    // No JSON: there is none.
  }
  return `unreadable-${sha256Hex(text).slice(0, 10)}`;
}

/** @returns undefined where there is none, or one of another form */
export function parseTrainingStatus(text: string | undefined): TrainingStatus | undefined {
  if (text === undefined) return undefined;
  try {
    return statusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function refusal(problem: string): SerinError {
  return new SerinError("invalid_input", `The tag serin.training_request is refused: ${problem}`, {
    hint: 'it is a JSON object such as {"id": "2026-01-31", "arguments": ["--rows", "0-8736"]}; ' +
      "ask with another id",
  });
}
