/** Level 0: what every room stands on. Imports nothing of serin's own. */
export { accessHint } from "./access_hint.ts";
export { assert, AssertionError } from "./assert.ts";
export { storageError, syncFolder, writeFileAtomic } from "./atomic_write.ts";
export { backoffMs } from "./backoff.ts";
export { type Clock, systemClock } from "./clock.ts";
export { withDeadline } from "./deadline.ts";
export { Sha256, sha256Hex } from "./digest.ts";
export { type JunitCase, type JunitSuite, junitXml } from "./junit_xml.ts";
export { type Closer, Lifecycle, type StopSignal } from "./lifecycle.ts";
export { LIMITS } from "./limits.ts";
export { type Log, type LogLevel, type LogOptions, openLog, silentLog } from "./log.ts";
export { OutputFolder } from "./output_folder.ts";
export { keepPermissions, PERMISSION_KINDS, type PermissionKind } from "./permissions.ts";
export { mix32, type Random, SeededRandom, SystemRandom } from "./random.ts";
export { registryUrl, serverUrl } from "./registry_url.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  messageOf,
  SerinError,
  type SerinErrorOptions,
} from "./serin_error.ts";
export { didYouMean, suggest } from "./suggest.ts";
export { formatBytes, formatDuration } from "./units.ts";
export { VERSION } from "./version.ts";
