/** What a kind of error means to whoever asked: a process's exit code, or an HTTP status. */
interface CodeMeaning {
  readonly exit: 1 | 2 | 3;
  readonly status: number;
  readonly retriable: boolean;
}

/**
 * The closed table of error codes. Programs branch on these, people read the message.
 * Exit codes: 1 the work failed, 2 the command line or configuration is wrong, 3 a gate said no.
 */
export const ERROR_CODES = {
  usage: { exit: 2, status: 400, retriable: false },
  configuration: { exit: 2, status: 400, retriable: false },
  invalid_input: { exit: 1, status: 400, retriable: false },
  invalid_data: { exit: 1, status: 400, retriable: false },
  invalid_model: { exit: 1, status: 422, retriable: false },
  unsupported_model: { exit: 1, status: 422, retriable: false },
  unauthenticated: { exit: 1, status: 401, retriable: false },
  permission_denied: { exit: 1, status: 403, retriable: false },
  not_found: { exit: 1, status: 404, retriable: false },
  already_exists: { exit: 1, status: 409, retriable: false },
  conflict: { exit: 1, status: 409, retriable: false },
  too_large: { exit: 1, status: 413, retriable: false },
  unsupported_media_type: { exit: 1, status: 415, retriable: false },
  limit_exceeded: { exit: 1, status: 429, retriable: true },
  inference_failed: { exit: 1, status: 500, retriable: false },
  internal: { exit: 1, status: 500, retriable: false },
  not_implemented: { exit: 1, status: 501, retriable: false },
  unavailable: { exit: 1, status: 503, retriable: true },
  not_ready: { exit: 1, status: 503, retriable: true },
  timeout: { exit: 1, status: 504, retriable: true },
  address_in_use: { exit: 1, status: 500, retriable: false },
  storage: { exit: 1, status: 500, retriable: false },
  refused: { exit: 3, status: 409, retriable: false },
} as const satisfies Record<string, CodeMeaning>;

/** A code of {@linkcode ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What may be said beside code and message. */
export interface SerinErrorOptions {
  /** What to do about it, one sentence, no final period. */
  readonly hint?: string;
  /** Machine-readable particulars (names, positions, the value seen). */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * An operating error: something outside serin is not as it must be. The message says what could not
 * be done, why, and the value seen; the hint says what to do.
 *
 * @example An error with a way out
 * ```ts
 * import { SerinError } from "./mod.ts";
 * const error = new SerinError("not_found", 'No registered model is named "electrcity"', {
 *   hint: 'did you mean "electricity"?',
 * });
 * console.assert(error.status === 404 && error.exit === 1);
 * ```
 */
export class SerinError extends Error {
  override readonly name = "SerinError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: SerinErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  /** The HTTP status that an API answers with. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  /** The exit code of a command that ends with this error. */
  get exit(): number {
    return ERROR_CODES[this.code].exit;
  }

  /** Whether the same call may go through later. */
  get retriable(): boolean {
    return ERROR_CODES[this.code].retriable;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
