import { type ErrorCode, SerinError } from "../core/mod.ts";

/** What a request was about, for its error. */
export interface Attempt {
  /** As RBAC names it: get, list, create, patch, … */
  readonly verb: string;
  /** E.g. `Deployment serin/serin-serving`. */
  readonly what: string;
  /** As RBAC names it, e.g. `deployments/status`. */
  readonly resource?: string;
  readonly group?: string;
}

/** The part of `metav1.Status` that is read. */
export interface ApiStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { reason?: string; message?: string; field?: string }[];
  };
}

const REASONS: Readonly<Record<string, ErrorCode>> = {
  AlreadyExists: "already_exists",
  Conflict: "conflict",
  Expired: "conflict",
  Forbidden: "permission_denied",
  Gone: "conflict",
  Invalid: "invalid_input",
  NotFound: "not_found",
  Timeout: "timeout",
  ServerTimeout: "timeout",
  TooManyRequests: "limit_exceeded",
  Unauthorized: "unauthenticated",
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_input",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  405: "not_implemented",
  409: "conflict",
  410: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  422: "invalid_input",
  429: "limit_exceeded",
  504: "timeout",
};

const PROBLEMS_MAX = 20;

/** @returns the Status in a body, or undefined where it is something else's answer */
export function parseStatus(text: string): ApiStatus | undefined {
  try {
    const body = JSON.parse(text);
    return body?.kind === "Status" ? body : undefined;
  } catch {
    return undefined;
  }
}

/** The error of an answer that is not 2xx. */
export function statusError(
  httpStatus: number,
  status: ApiStatus | undefined,
  attempt: Attempt,
): SerinError {
  const code = isSchemaProblem(httpStatus, status)
    ? "invalid_input"
    : REASONS[status?.reason ?? ""] ?? STATUSES[httpStatus] ?? "unavailable";
  const head = `Cannot ${attempt.verb} ${attempt.what}`;
  const conflicts = conflictsOf(status);
  const said = conflicts.length > 0
    ? conflicts.map(({ manager, field }) => `"${manager}" manages ${field}`).join("; ")
    : problemsOf(httpStatus, status);
  return new SerinError(code, `${head}: ${said}`, {
    ...hintOf(code, status, attempt, conflicts.length > 0),
    details: {
      status: httpStatus,
      ...(status?.reason === undefined ? {} : { reason: status.reason }),
      ...(conflicts.length === 0 ? {} : { conflicts }),
    },
  });
}

/** Server-side apply answers 500 to a field that the kind does not have. */
function isSchemaProblem(httpStatus: number, status: ApiStatus | undefined): boolean {
  return httpStatus === 500 && /failed to create typed patch object/.test(status?.message ?? "");
}

/** @returns whether the history that a watch or a list's next page needs is gone */
export function isExpired(thrown: unknown): boolean {
  if (!(thrown instanceof SerinError)) return false;
  const { status, reason } = thrown.details ?? {};
  return status === 410 || reason === "Expired" || reason === "Gone";
}

function conflictsOf(status: ApiStatus | undefined): { manager: string; field: string }[] {
  return (status?.details?.causes ?? [])
    .filter(({ reason }) => reason === "FieldManagerConflict")
    .map(({ message = "", field = "?" }) => ({
      manager: /conflict with "([^"]*)"/.exec(message)?.[1] ?? message,
      field,
    }));
}

function problemsOf(httpStatus: number, status: ApiStatus | undefined): string {
  if (status === undefined) return `the server answered ${httpStatus}`;
  const message = (status.message ?? "").trim() || `the server answered ${httpStatus}`;
  // As a rule the message holds them; where it does not, none may get lost.
  const unsaid = (status.details?.causes ?? [])
    .filter((cause) => cause.message !== undefined && !message.includes(cause.message))
    .map(({ field, message }) => field === undefined ? message : `${field}: ${message}`);
  return [message, ...unsaid.slice(0, PROBLEMS_MAX)].join("; ");
}

function hintOf(
  code: ErrorCode,
  status: ApiStatus | undefined,
  attempt: Attempt,
  isFieldConflict: boolean,
): { hint?: string } {
  const hint = isFieldConflict
    ? "leave these fields to their managers, or take them over with force"
    : code === "permission_denied"
    ? permissionHint(status, attempt)
    : code === "unauthenticated"
    ? `the API server does not accept these credentials (wanted: ${rightOf(attempt)}); ` +
      "check the kubeconfig's user, or that its token has not expired"
    : undefined;
  return hint === undefined ? {} : { hint };
}

/** Not every 403 is RBAC's: quotas, webhooks and pod security say so themselves. */
function permissionHint(status: ApiStatus | undefined, attempt: Attempt): string {
  const isRbac = status?.message === undefined ||
    / cannot \S+ (resource|path) /.test(status.message);
  if (!isRbac) return "a rule of the cluster refuses it (quota, admission webhook or pod security)";
  const user = /User "([^"]+)"/.exec(status?.message ?? "")?.[1];
  return `a Role must allow ${rightOf(attempt)}${user === undefined ? "" : ` to "${user}"`}`;
}

function rightOf({ verb, resource, group, what }: Attempt): string {
  if (resource === undefined) return `"${verb}" on ${what}`;
  return `verb "${verb}" on resource "${resource}" of API group "${group ?? ""}"`;
}
