/** The files of a version that serving needs. */
export interface VersionFiles {
  /** The ONNX file. */
  readonly bytes: Uint8Array;
  /** The `profile.json` beside it, where there is one. */
  readonly profile?: Uint8Array | undefined;
}

/** Where versions of registered models come from; joined with MLflow's REST in `commands`. */
export interface VersionSource {
  /**
   * @returns what tells this version from another of the same name and number: of another registry,
   *   or of a registry that was made anew
   * @throws SerinError `not_found`, `unavailable`
   */
  identify(model: string, version: string): Promise<string>;
  /**
   * @returns the version's files, and the SHA-256 of the ONNX file where the registry tells it
   * @throws SerinError `not_found`, `unavailable`
   */
  fetchVersion(model: string, version: string): Promise<VersionFiles & { sha256?: string }>;
  /** @returns the files in a run's artifact folder */
  fetchRun(run: string, path: string): Promise<VersionFiles>;
}
