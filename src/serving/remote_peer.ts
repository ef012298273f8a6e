import { accessHint, messageOf, SerinError } from "../core/mod.ts";
import {
  type LabelsAnswer,
  type LabelsRequest,
  type SyncAnswer,
  syncAnswerSchema,
  type SyncPeer,
  type SyncRequest,
} from "../rollout/sync.ts";

/** How long a sync may take; a slow registry is one that is out of reach. */
const SYNC_MS_MAX = 5000;
const LABELS_MS_MAX = 30_000;

/** How to reach a registry. */
export interface RemotePeerOptions {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
}

/** The registry, over HTTP. */
export class RemotePeer implements SyncPeer {
  readonly #options: RemotePeerOptions;

  constructor(options: RemotePeerOptions) {
    this.#options = options;
  }

  /**
   * @throws {SerinError} `not_found` where the server is MLflow but not serin, `unavailable` when it
   *   is out of reach
   */
  async sync(request: SyncRequest): Promise<SyncAnswer> {
    const answer = await this.#post("api/serin/v1/sync", JSON.stringify(request), SYNC_MS_MAX);
    const parsed = syncAnswerSchema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new SerinError("unavailable", "The registry's sync answer has another form", {
      hint: "registry and serve should be of the same version",
      cause: parsed.error,
    });
  }

  async labels(
    request: LabelsRequest,
    body: BodyInit = JSON.stringify(request),
  ): Promise<LabelsAnswer> {
    return await this.#post("v1/labels", body, LABELS_MS_MAX) as LabelsAnswer;
  }

  async #post(route: string, body: BodyInit, msMax: number): Promise<unknown> {
    const { baseUrl, fetch, token } = this.#options;
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${baseUrl.replace(/\/+$/, "")}/${route}`, {
        method: "POST",
        headers,
        body,
        signal: AbortSignal.timeout(msMax),
      });
      text = await response.text();
    } catch (cause) {
      throw new SerinError(
        "unavailable",
        `The registry ${baseUrl} does not answer: ${messageOf(cause)}`,
        {
          hint: "is `serin registry` running there?",
          cause,
        },
      );
    }
    if (response.ok) return parse(text, baseUrl);
    throw errorOf(response.status, text, route);
  }
}

function parse(text: string, baseUrl: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SerinError("unavailable", `The registry ${baseUrl} answered no JSON`, { cause });
  }
}

function errorOf(status: number, text: string, route: string): SerinError {
  let message = text.slice(0, 500);
  try {
    message = JSON.parse(text).error?.message ?? message;
  } catch {
    // Not JSON: the text itself is the message.
  }
  const code = status === 404 || status === 405
    ? "not_found"
    : status === 401
    ? "unauthenticated"
    : status === 403
    ? "permission_denied"
    : status >= 400 && status < 500
    ? "conflict"
    : "unavailable";
  const what = `The registry answered ${status} to ${route}: ${message}`;
  return new SerinError(code, what, { hint: accessHint(status) });
}
