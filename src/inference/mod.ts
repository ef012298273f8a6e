/** Running models: sessions, what they take and give, and where their files come from. */
export { checkAnswer, type Outcome, readOutcome } from "./answer.ts";
export { type Feeds, type GivenInput, toFeeds } from "./feeds.ts";
export {
  configureOrt,
  isEngineCrash,
  openOrtSession,
  OrtSession,
  readOrtWasm,
} from "./ort_session.ts";
export { type AttemptObserver, type ModelFile, ServedModel } from "./served_model.ts";
export {
  type Datatype,
  DATATYPES,
  type NamedTensor,
  type Signature,
  sizeOf,
  type TensorData,
  type TensorSpec,
} from "./tensor.ts";
