/** Where versions of registered models come from; joined with MLflow's REST in `commands`. */
export interface VersionSource {
  /**
   * @returns the version's ONNX file, and its SHA-256 where the registry tells it
   * @throws SerinError `not_found`, `unavailable`
   */
  fetchVersion(model: string, version: string): Promise<{ bytes: Uint8Array; sha256?: string }>;
  /** @returns the ONNX file in a run's artifact folder */
  fetchRun(run: string, path: string): Promise<{ bytes: Uint8Array; sha256?: string }>;
}
