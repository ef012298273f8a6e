/** The data port: transports of inference, translated to and from the data plane. */
export { parseJson } from "../body.ts";
export { inferenceApp, type InferenceAppOptions, KEY_HEADER } from "./app.ts";
export {
  type AnsweredRequest,
  DataPlane,
  type InferenceAnswer,
  type InferenceRequest,
  type PredictionFacts,
  type SealToken,
} from "./data_plane.ts";
