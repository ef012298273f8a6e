/**
 * Takes a picture of a dashboard that `render.tsx` draws from a Prometheus:
 *
 *     node shot.mjs DASHBOARD.json PROMETHEUS_URL FROM_MS PICTURE.png
 *
 * Prints each panel's text, and fails where one says "No data" or the page had an error.
 */
import fs from "node:fs";
import http from "node:http";
import process from "node:process";
import { chromium } from "playwright-core";

const [file, prometheus, from, picture] = process.argv.slice(2);
const dashboard = JSON.parse(fs.readFileSync(file, "utf8"));
const given = JSON.stringify({ dashboard, prometheus, from: Number(from) })
  .replaceAll("<", "\\u003c");
const page = `<!doctype html><meta charset=utf-8><link rel=stylesheet href=/render.css>
<body style="margin:0;background:#111217"><div id=root></div>
<script>window.GIVEN=${given}</script><script src=/render.js></script>`;

const server = http.createServer((request, response) => {
  const name = request.url.split("?")[0].slice(1);
  if (name === "") response.setHeader("content-type", "text/html").end(page);
  else if (["render.js", "render.css"].includes(name) && fs.existsSync(name)) {
    const type = name.endsWith("js") ? "text/javascript" : "text/css";
    response.setHeader("content-type", type).end(fs.readFileSync(name));
  } else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...[
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  ],
});
const tab = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const problems = [];
tab.on(
  "pageerror",
  (error) => problems.push(`error: ${String(error).slice(0, 300)}`),
);
await tab.goto(`http://127.0.0.1:${server.address().port}/`);
await tab.waitForFunction(() => document.title !== "", undefined, {
  timeout: 90_000,
});
if (await tab.title() !== "drawn") problems.push(await tab.innerText("body"));
await tab.screenshot({ path: picture, fullPage: true });
for (const panel of await tab.$$("[data-panel]")) {
  const text = (await panel.innerText()).replaceAll(/\s+/g, " ");
  if (/No data|NaN|undefined/.test(text)) problems.push(text.slice(0, 200));
}
for (const problem of problems) console.log(`${file}: ${problem}`);
console.log(`picture: ${picture}, ${problems.length} problems`);
await browser.close();
server.close();
process.exit(problems.length > 0 ? 1 : 0);
