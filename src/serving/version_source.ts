/** Where versions of registered models come from; joined with MLflow's REST in `commands`. */
export interface VersionSource {
  /**
   * @returns what tells this version from another of the same name and number: of another registry,
   *   or of a registry that was made anew
   * @throws SerinError `not_found`, `unavailable`
   */
  identify(model: string, version: string): Promise<string>;
  /**
   * @returns the version's ONNX file, and its SHA-256 where the registry tells it
   * @throws SerinError `not_found`, `unavailable`
   */
  fetchVersion(model: string, version: string): Promise<{ bytes: Uint8Array; sha256?: string }>;
  /** @returns the ONNX file in a run's artifact folder */
  fetchRun(run: string, path: string): Promise<{ bytes: Uint8Array; sha256?: string }>;
}
