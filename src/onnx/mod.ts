/** ONNX files: building and reading them, by protobuf's wire format alone. */
export { type Dimension, ELEMENT_TYPES, type ElementType } from "./element_type.ts";
export {
  type AttributeValue,
  GraphBuilder,
  ML_DOMAIN,
  type ModelOptions,
  type NodeSpec,
  type Tensor,
} from "./graph_builder.ts";
export {
  type ModelNode,
  type OnnxModel,
  type ReadAttribute,
  readModel,
  type ValueInfo,
} from "./model_reader.ts";
