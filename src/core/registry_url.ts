import { SerinError } from "./serin_error.ts";

/**
 * Checks the address of a registry, or of an MLflow server.
 *
 * @param text e.g. "http://localhost:5000/"; a path in front of /api is kept
 * @returns it without slashes at its end
 * @throws {SerinError} `configuration` for what is no http(s) URL, and for one with a user or a
 *   password: addresses are in logs, errors and what `/readyz` says, tokens may not be
 *
 * @example A slash at the end does not matter
 * ```ts
 * import { registryUrl } from "./mod.ts";
 * console.assert(registryUrl("http://localhost:5000/") === "http://localhost:5000");
 * ```
 */
export function registryUrl(text: string): string {
  return serverUrl(text, {
    server: "registry",
    tokenHint: "give the token with --registry-token-file FILE, or in the environment as " +
      "SERIN_REGISTRY_TOKEN or MLFLOW_TRACKING_TOKEN",
  });
}

/**
 * Checks the address of a server as {@linkcode registryUrl} does.
 *
 * @param options.server what it is an address of, for errors
 * @param options.tokenHint how its token is given instead
 */
export function serverUrl(
  text: string,
  { server, tokenHint }: { server: string; tokenHint: string },
): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SerinError("configuration", `Not an address of a ${server}: "${withoutUser(text)}"`, {
      hint: "give it as http://host:port",
    });
  }
  if (url.username !== "" || url.password !== "") {
    const what = `The ${server}'s address holds a user or a password: "${withoutUser(text)}"`;
    throw new SerinError("configuration", what, { hint: tokenHint });
  }
  if (url.search !== "" || url.hash !== "") {
    // Routes are put behind it; a query may be a secret.
    const what =
      `The ${server}'s address has a query or a fragment: "${url.origin}${url.pathname}…"`;
    throw new SerinError("configuration", what, { hint: "give it as http://host:port" });
  }
  return text.replace(/[?#/]+$/, "");
}

function withoutUser(text: string): string {
  return text.replace(/^((?:[\w+.-]*:)?\/+)?[^/]*@/, (_, scheme = "") => `${scheme}…@`);
}
