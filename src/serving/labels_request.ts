import { parseJson } from "../api/inference/mod.ts";
import { LIMITS, SerinError } from "../core/mod.ts";
import { type LabelsRequest, labelsRequestSchema } from "../rollout/sync.ts";

/**
 * Reads the body of `POST /v1/labels`.
 *
 * @throws {SerinError} `invalid_input`, `too_large`
 */
export function parseLabels(body: Uint8Array): LabelsRequest {
  const parsed = labelsRequestSchema.safeParse(parseJson(body));
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
