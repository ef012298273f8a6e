/** Rollouts: who serves what share, the evidence about it, and the decision. */
export {
  createTokenSealer,
  isWrong,
  openToken,
  type PredictionToken,
  type TokenContent,
  type TokenKey,
  type TokenPrediction,
  type TokenSealer,
} from "./token.ts";
export { TokenKeyring } from "./token_keys.ts";
export {
  type Arm,
  ARMS,
  type Assignment,
  type Counted,
  COUNTED,
  type LabelsAnswer,
  type LabelsRequest,
  labelsRequestSchema,
  type SyncAnswer,
  syncAnswerSchema,
  type SyncPeer,
  type SyncRequest,
  syncRequestSchema,
} from "./sync.ts";
