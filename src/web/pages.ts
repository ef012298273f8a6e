/** A file of the pages, ready to be answered. */
export interface Page {
  readonly contentType: string;
  readonly body: string;
}

const FILES = {
  "": ["index.html", "text/html; charset=utf-8"],
  "app.js": ["app.js", "text/javascript; charset=utf-8"],
  "style.css": ["style.css", "text/css; charset=utf-8"],
} as const;

/** What the pages may load: themselves, and nothing from elsewhere. */
export const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

/**
 * Reads the pages, which are embedded in the executable.
 *
 * @returns the files by their path below the folder that they are mounted at; "" is the page itself
 */
export async function readPages(): Promise<ReadonlyMap<string, Page>> {
  const pages = new Map<string, Page>();
  for (const [path, [file, contentType]] of Object.entries(FILES)) {
    const body = await Deno.readTextFile(new URL(`./pages/${file}`, import.meta.url));
    pages.set(path, { contentType, body });
  }
  return pages;
}
