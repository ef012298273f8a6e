import { z } from "zod";
import { SerinError } from "../core/mod.ts";
import { GATE_REPORT_TAG, GATE_TAG, type GateOutcome, gateOutcomeOf } from "../gate/mod.ts";

/** What a gate found of a model that is no version yet: the tags that the version will get. */
export interface Verdict {
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly outcome: GateOutcome;
  /** Digest of the ONNX file that was judged. */
  readonly sha256: string;
}

const verdictSchema = z.strictObject({
  [GATE_TAG]: z.enum(["passed", "refused", "undecided"]),
  [GATE_REPORT_TAG]: z.string(),
});
const reportSchema = z.object({ candidate_sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** @returns the file that `serin gate --verdict` writes and `serin register --verdict` reads */
export function formatVerdict(
  tags: readonly { readonly key: string; readonly value: string }[],
): string {
  return JSON.stringify(Object.fromEntries(tags.map(({ key, value }) => [key, value]))) + "\n";
}

/**
 * Reads {@linkcode formatVerdict}'s file.
 *
 * @throws {SerinError} `invalid_data` for a file that is none
 */
export function parseVerdict(text: string, path: string): Verdict {
  try {
    const tags = verdictSchema.parse(JSON.parse(text));
    const { candidate_sha256 } = reportSchema.parse(JSON.parse(tags[GATE_REPORT_TAG]));
    const pairs = Object.entries(tags).map(([key, value]) => ({ key, value }));
    return { tags: pairs, outcome: gateOutcomeOf(pairs), sha256: candidate_sha256 };
  } catch (cause) {
    throw new SerinError("invalid_data", `${path} is not the verdict of a gate`, {
      hint: "`serin gate --verdict FILE` writes it",
      cause,
    });
  }
}
