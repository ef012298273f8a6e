/** Whether a table is fit to train on, before anything is trained: against a spec and the last model. */
export { checkData, type DataCheckRequest } from "./check_data.ts";
export {
  DATA_LIMITS,
  type DataCheck,
  type DataCheckOutcome,
  type DataLimits,
  type ReferenceColumn,
  type ReferenceData,
} from "./data_check.ts";
export { countOutcomes, type DataReport, dataReportJson, exitCodeOfData } from "./data_report.ts";
export { dataJunit } from "./data_junit.ts";
