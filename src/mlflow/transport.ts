import { accessHint, type ErrorCode, registryUrl, SerinError } from "../core/mod.ts";

/** How a server is reached. */
export interface TransportOptions {
  /** E.g. "http://localhost:5000"; a path in front of /api is kept. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Sent with every request, e.g. X-Serin-Authorization where a proxy eats Authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a JSON request may take, milliseconds; default 30000. */
  readonly timeoutMs?: number;
}

/** Calls MLflow's REST API and gives its errors serin's codes. */
export interface Transport {
  /** @param route e.g. "2.0/mlflow/runs/get" */
  get(route: string, query: Record<string, string | undefined>): Promise<unknown>;
  send(method: "POST" | "PATCH" | "DELETE", route: string, body: unknown): Promise<unknown>;
  /** A request whose bodies are bytes; without a limit in time. */
  raw(method: string, route: string, body?: BodyInit): Promise<Response>;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  RESOURCE_DOES_NOT_EXIST: "not_found",
  ENDPOINT_NOT_FOUND: "not_found",
  RESOURCE_ALREADY_EXISTS: "already_exists",
  INVALID_PARAMETER_VALUE: "invalid_input",
  BAD_REQUEST: "invalid_input",
  UNAUTHENTICATED: "unauthenticated",
  CUSTOMER_UNAUTHORIZED: "unauthenticated",
  PERMISSION_DENIED: "permission_denied",
  NOT_IMPLEMENTED: "not_implemented",
  REQUEST_LIMIT_EXCEEDED: "limit_exceeded",
  INVALID_STATE: "conflict",
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_input",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  429: "limit_exceeded",
  501: "not_implemented",
};

/** @throws {SerinError} `configuration` where the address is no http(s) URL */
export function openTransport(options: TransportOptions): Transport {
  const { fetch, token, timeoutMs = 30_000 } = options;
  const base = registryUrl(options.baseUrl);
  const headers: Record<string, string> = { ...options.headers };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const call = async (url: URL, init: RequestInit): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(url, init);
    } catch (cause) {
      // An injected fetch knows better what is in the way.
      throw cause instanceof SerinError ? cause : unreachable(base, cause);
    }
    if (!response.ok) throw await errorOf(response, url);
    return response;
  };
  const timed = () => AbortSignal.timeout(timeoutMs);
  const json = async (response: Response): Promise<unknown> => {
    try {
      return await response.json();
    } catch (cause) {
      throw new SerinError("unavailable", `${base} answered no JSON`, {
        hint: "check that the address is of an MLflow server or of serin registry",
        cause,
      });
    }
  };
  return {
    get: async (route, query) => {
      const url = urlOf(base, route);
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) url.searchParams.set(name, value);
      }
      return await json(await call(url, { headers, signal: timed() }));
    },
    send: async (method, route, body) => {
      const init = {
        method,
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: timed(),
      };
      return await json(await call(urlOf(base, route), init));
    },
    raw: (method, route, body) => call(urlOf(base, route), { method, headers, body }),
  };
}

function urlOf(base: string, route: string): URL {
  return new URL(`${base}/api/${route}`);
}

function unreachable(base: string, cause: unknown): SerinError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SerinError("unavailable", `Cannot reach ${base}: ${why}`, {
    hint: "check that the server runs and that the address is right",
    cause,
  });
}

async function errorOf(response: Response, url: URL): Promise<SerinError> {
  const text = await response.text().catch(() => "");
  let body: { error_code?: unknown; message?: unknown } = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page, as a rule.
  }
  const named = typeof body.error_code === "string" ? CODES[body.error_code] : undefined;
  const code = named ?? STATUSES[response.status] ?? "unavailable";
  const message = typeof body.message === "string"
    ? body.message
    : `${url.origin}${url.pathname} answered ${response.status}`;
  return new SerinError(code, message, {
    hint: accessHint(response.status) ??
      (response.status >= 500
        ? "look at the server's log, or at what stands in front of it"
        : undefined),
    details: { status: response.status },
  });
}
