/** What runs in serving replicas: choosing the version of each attempt, and counting. */
export { type CellField, CELLS_MAX, CountCells, CountLedger } from "./count_cells.ts";
export { LatencyLevels, type Levels } from "./latency_levels.ts";
export { type Draw, type Route, ShareRouter } from "./share_router.ts";
export {
  createTokenSealer,
  readTokenNonce,
  TOKEN_NONCE_BYTES,
  type TokenPrediction,
  type TokenSealer,
} from "../token.ts";
