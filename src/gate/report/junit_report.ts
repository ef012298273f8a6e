import { junitXml } from "../../core/mod.ts";
import { exitCodeOf, type GateReport } from "../gate_report.ts";

/**
 * A report as JUnit XML, one test case a check: refused is a failure, undecided an error (it could
 * not be judged), so that no CI takes either for green.
 */
export function junitReport(report: GateReport): string {
  return junitXml({
    name: "serin gate",
    className: "serin.gate",
    time: report.time,
    properties: {
      outcome: report.outcome,
      exit_code: String(exitCodeOf(report)),
      candidate: report.candidate.uri,
      champion: report.champion?.uri ?? "",
      data: `${report.data.source} (${report.data.digest})`,
      spec: report.specDigest,
      verdict: report.verdict,
      ...(report.forced === undefined ? {} : { forced: report.forced }),
    },
    cases: report.checks.map(({ id, outcome, sentence }) => ({
      name: id,
      text: sentence,
      problem: outcome === "passed"
        ? undefined
        : { kind: outcome === "refused" ? "failure" : "error", type: outcome },
    })),
  });
}
