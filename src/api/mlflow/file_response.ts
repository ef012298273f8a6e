import type { ServedFile } from "./artifact_source.ts";

/** Endings that are shown as text, as MLflow does (`_guess_mime_type`). */
const TEXT = new Set(
  ("txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv " +
    "md rst MLmodel MLproject").split(" "),
);

const TYPES: ReadonlyMap<string, string> = new Map([
  ["html", "text/html"],
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["svg", "image/svg+xml"],
  ["pdf", "application/pdf"],
  ["zip", "application/zip"],
]);

/**
 * @returns the file as an attachment: a browser must not show it on this server's origin, where its
 * scripts could act as the person who looks at it
 */
export function fileResponse(path: string, file: ServedFile): Response {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const headers: Record<string, string> = {
    "content-type": TEXT.has(ending)
      ? "text/plain; charset=utf-8"
      : TYPES.get(ending.toLowerCase()) ?? "application/octet-stream",
    "content-length": String(file.size),
    "content-disposition": attachment(name),
    "x-content-type-options": "nosniff",
  };
  if (file.digest !== undefined) headers.etag = `"${file.digest}"`;
  return new Response(file.stream, { headers });
}

/** RFC 6266: a token stands bare; else an ASCII name for old clients, the whole one by RFC 5987. */
function attachment(name: string): string {
  if (/^[\w.!#$&+^`|~-]+$/.test(name)) return `attachment; filename=${name}`;
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
