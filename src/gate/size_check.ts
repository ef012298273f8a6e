import { formatBytes } from "../core/mod.ts";
import type { GateCheck } from "./check.ts";
import type { GateSpec } from "./gate_spec.ts";

/** @returns the checks of the ONNX file's bytes that gate.yaml asks for */
export function sizeChecks(
  candidate: number,
  champion: number | undefined,
  { ratio_max, bytes_max }: GateSpec["size"],
): GateCheck[] {
  const checks: GateCheck[] = [];
  const told = (isWithin: boolean) => isWithin ? "within the limit" : "above the limit";
  if (ratio_max !== null && champion !== undefined) {
    const ratio = candidate / champion, isWithin = ratio <= ratio_max;
    checks.push({
      id: "size.ratio",
      outcome: isWithin ? "passed" : "refused",
      candidate: { value: candidate },
      champion: { value: champion },
      difference: { value: ratio, lower: ratio, upper: ratio },
      limit: `≤ × ${ratio_max}`,
      sentence: `${formatBytes(candidate)}, × ${ratio.toFixed(2)} of the champion's ` +
        `${formatBytes(champion)}: ${told(isWithin)}`,
    });
  }
  if (bytes_max !== undefined) {
    const isWithin = candidate <= bytes_max;
    checks.push({
      id: "size.bytes",
      outcome: isWithin ? "passed" : "refused",
      candidate: { value: candidate },
      limit: `≤ ${formatBytes(bytes_max)}`,
      sentence: `${formatBytes(candidate)}: ${told(isWithin)}`,
    });
  }
  return checks;
}
