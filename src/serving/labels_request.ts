import { parseJson } from "../api/inference/mod.ts";
import { LIMITS, SerinError } from "../core/mod.ts";
import { type LabelsRequest, labelsRequestSchema } from "../rollout/sync.ts";

/**
 * Reads the body of `POST /v1/labels`.
 *
 * @throws {SerinError} `invalid_input`, `too_large`
 */
export function parseLabels(body: Uint8Array): LabelsRequest {
  const value = parseJson(body);
  const parsed = isPlain(value)
    ? { success: true, data: value } as const
    : labelsRequestSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, 10).map((issue) =>
      `${issue.path.join(".")}: ${issue.message}`
    );
    throw new SerinError("invalid_input", `No labels request: ${problems.join("; ")}`, {
      hint: 'the body is {"labels":[{"prediction":"TOKEN","row":0,"label":1}…]}',
    });
  }
  const { length } = parsed.data.labels;
  if (length <= LIMITS.labelsMax) return parsed.data;
  throw new SerinError(
    "too_large",
    `There are ${length} labels, at most ${LIMITS.labelsMax} are taken at once`,
    { hint: "send them in several requests" },
  );
}

/**
 * Whether a value is what the schema takes as it stands, `row` given and no `time`: most requests are, and
 * this costs little beside the schema, which tells of all others what they are.
 */
export function isPlain(value: unknown): value is LabelsRequest {
  if (!hasKeys(value, ["labels"]) || !Array.isArray(value.labels)) return false;
  return value.labels.every(isPlainLabel);
}

function isPlainLabel(value: unknown): boolean {
  if (!hasKeys(value, ["prediction", "row", "label"])) return false;
  const { prediction, row, label } = value;
  return typeof prediction === "string" && prediction.length > 0 && prediction.length <= 1024 &&
    Number.isSafeInteger(row) && (row as number) >= 0 &&
    (typeof label === "string"
      ? label.length <= 1000 && !label.includes("\0")
      : typeof label === "boolean" || Number.isFinite(label));
}

/** Whether an object has these keys, all of them and no other. */
function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  let count = 0;
  for (const key in value) {
    if (!keys.includes(key)) return false;
    count++;
  }
  return count === keys.length;
}
