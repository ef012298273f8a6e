/** What `serin demo` is made of: its data, live requests with late labels, a look at rollouts. */
export {
  electricityPath,
  readReplayRows,
  SWAPPED,
  TARGET,
  writeSwappedData,
} from "./electricity.ts";
export { LiveReplay, type ReplayRow, type VersionTally } from "./live_replay.ts";
export { waitForRolloutEnd } from "./rollout_watch.ts";
