import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import { PAGE_HEADERS, readPages } from "./mod.ts";

Deno.test("the page loads its own files and nothing from elsewhere", async () => {
  const pages = await readPages();
  const { body } = pages.get("")!;
  const named = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
  for (const url of named) {
    assertTrue(url === "data:," || pages.has(url), `${url} is one of the embedded files`);
  }
  for (const [path, page] of pages) {
    assertEquals(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(page.body), false, path);
  }
  assertIncludes(PAGE_HEADERS["content-security-policy"], "default-src 'none'");
});
