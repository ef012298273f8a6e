/**
 * Level 1: MLflow's REST API as data (requests by zod, with MLflow's messages) and a client of it.
 * Source: MLflow 3.17.2, `mlflow/protos` and `mlflow/server/handlers.py`.
 */
export {
  createMlflowClient,
  type MlflowClient,
  type Pair,
  type Point,
  type RemoteModel,
  type RemoteRun,
  type RemoteVersion,
} from "./client.ts";
export {
  type Fields,
  isList,
  type Message,
  message,
  type Parsed,
  parseMessage,
} from "./message.ts";
export { modelVersionMessages, registeredModelMessages } from "./registry_messages.ts";
export { toWireDouble } from "./scalars.ts";
export {
  experimentMessages,
  loggedModelMessages,
  metricMessages,
  runMessages,
} from "./tracking_messages.ts";
export type { TransportOptions } from "./transport.ts";
