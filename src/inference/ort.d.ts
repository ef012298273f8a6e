/** The part of onnxruntime-web's API that serin uses (its package's own types are for 142 MB more). */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | string[];

export declare class Tensor {
  constructor(type: string, data: ArrayLike<unknown>, dims: readonly number[]);
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];
}

export interface ValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export declare class InferenceSession {
  static create(bytes: Uint8Array, options: Record<string, unknown>): Promise<InferenceSession>;
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  run(
    feeds: Record<string, Tensor>,
    options?: Record<string, unknown>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export declare const env: {
  logLevel: string;
  wasm: { numThreads: number; wasmBinary: ArrayBufferLike | undefined; proxy: boolean };
};
