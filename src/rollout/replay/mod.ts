/** Recorded and generated request streams, and the reference rules that decide about them. */
export { parseCsvStream } from "./csv_stream.ts";
export { replay, type ReplayOutcome } from "./decider.ts";
export { OUTCOME, type RequestBatch, type RequestStream } from "./request_stream.ts";
export {
  DEFAULT_P99_US,
  DEFAULT_REPLAY_SETTINGS,
  parseScenarios,
  type ReplaySettings,
  type Scenario,
  SCENARIO_FORMAT,
  type ScenarioFile,
  tableP99,
} from "./scenario_file.ts";
export { ScenarioStream } from "./scenario_stream.ts";
