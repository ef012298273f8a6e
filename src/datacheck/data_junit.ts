import { junitXml } from "../core/mod.ts";
import { type DataReport, exitCodeOfData } from "./data_report.ts";

/** A report as JUnit XML, one test case a check; what is only warned of passes, with its words. */
export function dataJunit(report: DataReport): string {
  return junitXml({
    name: "serin data check",
    className: "serin.data",
    time: report.time,
    properties: {
      outcome: report.outcome,
      exit_code: String(exitCodeOfData(report)),
      data: `${report.source} (${report.digest})`,
      reference: report.reference ?? "",
    },
    cases: report.checks.map(({ id, outcome, sentence }) => ({
      name: id,
      text: outcome === "warned" ? `warning: ${sentence}` : sentence,
      problem: outcome === "refused" ? { kind: "failure", type: outcome } : undefined,
    })),
  });
}
