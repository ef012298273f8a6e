// The live page: asks the registry for its rollouts and draws shares and evidence as they grow.
// Plain modules without a build step: what is here is what the browser runs.

const API = "../api/serin/v1/rollouts";
const POLL_MS = 500;
const METRIC_NAMES = {
  errors: "errors",
  latency_p90: "slower than p90",
  latency_p95: "slower than p95",
  latency_p99: "slower than p99",
  labels: "wrong labels",
};

let chosen = new URLSearchParams(location.search).get("rollout");

/** Makes an element: attributes, then children (texts are never parsed as HTML). */
function el(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "text", "g"].includes(name);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const percent = (x, digits = 1) =>
  x === null || x === undefined ? "–" : `${(100 * x).toFixed(digits)} %`;
const number = (x) => x === null || x === undefined ? "∞" : x >= 100 ? Math.round(x) : x.toFixed(2);
const count = (x) => x.toLocaleString("en");

/** How far evidence is towards what is needed, on a log scale from 1: 0 to 1. */
const progress = (evidence, needed) =>
  Math.max(0, Math.min(1, Math.log(Math.max(evidence, 1)) / Math.log(needed)));

function bar(evidence, needed) {
  const part = progress(evidence, needed);
  const state = part >= 1 ? "over" : part > 0.5 ? "near" : "";
  const fill = el("i", { class: state, style: `width:${100 * part}%` });
  return el("div", { class: "bar", title: `evidence ${number(evidence)} of ${needed}` }, fill);
}

function drawList(rollouts) {
  const items = rollouts.map((r) =>
    el(
      "li",
      {},
      el(
        "button",
        {
          "aria-current": String(r.id === chosen),
          onclick: () => {
            chosen = r.id;
            refresh();
          },
        },
        `${r.model}: ${r.stable} → ${r.canary}`,
        el("br"),
        el("span", { class: `phase ${r.phase}` }, r.phase.replaceAll("_", " ")),
      ),
    )
  );
  document.querySelector("#list").replaceChildren(...items);
}

function figure(term, value) {
  return el("div", {}, el("dt", {}, term), el("dd", {}, value));
}

function drawRollout(r) {
  const ended = r.endedAt ?? Date.now();
  const seconds = Math.max(0, (ended - r.startedAt) / 1000);
  const summary = el(
    "div",
    { class: "card" },
    el(
      "h2",
      {},
      `${r.model}: version ${r.canary} against ${r.stable} `,
      el("span", { class: `phase ${r.phase}` }, r.phase.replaceAll("_", " ")),
    ),
    el("p", { class: "verdict" }, r.verdict),
    el(
      "dl",
      { class: "figures" },
      figure("canary's share", percent(r.share, 0)),
      figure("step", `${Math.min(r.step + 1, r.steps)} of ${r.steps}`),
      figure("canary requests", count(r.canaryRequests)),
      figure("running for", `${seconds.toFixed(seconds < 100 ? 1 : 0)} s`),
      figure("evidence, requests", `${number(r.evidence)} of ${r.evidenceNeeded}`),
      figure("evidence, labels", `${number(r.labelEvidence)} of ${r.evidenceNeeded}`),
    ),
  );
  const chart = el(
    "div",
    { class: "card" },
    el("h2", {}, "Share and evidence"),
    drawChart(r),
    key(),
  );
  const section = document.querySelector("#rollout");
  section.replaceChildren(summary, chart, drawMetrics(r));
}

function key() {
  const entry = (colour, text) =>
    el("span", {}, el("i", { style: `background:var(--${colour})` }), text);
  return el(
    "p",
    { class: "key" },
    entry("canary", "share of traffic (left scale)"),
    entry("bad", "evidence of errors and latency"),
    entry("stable", "evidence of wrong labels (right, log scale; the dashed line rolls back)"),
  );
}

function drawMetrics(r) {
  const head = [
    "metric",
    "canary",
    "stable",
    "ratio (always valid)",
    "evidence it is worse",
    "not worse",
  ];
  const rows = r.metrics.map((m) => {
    const arm = (a) => `${percent(a.rate, 2)} of ${count(a.trials)}`;
    const ratio = m.ratio === null
      ? "–"
      : `${number(m.ratio.estimate)} (${number(m.ratio.lower)} – ${number(m.ratio.upper)})`;
    const shown = m.shown === null ? "" : m.shown ? "shown ✓" : "not yet";
    return el(
      "tr",
      {},
      el("td", {}, METRIC_NAMES[m.metric] ?? m.metric),
      el("td", {}, arm(m.canary)),
      el("td", {}, arm(m.stable)),
      el("td", {}, ratio),
      el("td", {}, bar(m.evidence, r.evidenceNeeded)),
      el("td", {}, shown),
    );
  });
  return el(
    "div",
    { class: "card" },
    el("h2", {}, "What is compared"),
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...head.map((h) => el("th", {}, h)))),
      el("tbody", {}, ...rows),
    ),
  );
}

function drawChart(r) {
  const width = 720, height = 240, left = 42, right = 42, top = 12, bottom = 24;
  const points = r.history.length > 0 ? r.history : [{
    time: r.startedAt,
    share: r.share,
    evidence: 1,
    labelEvidence: 1,
  }];
  const begin = points[0].time, end = Math.max(points.at(-1).time, begin + 1000);
  const shareMax = Math.max(0.5, ...points.map((p) => p.share));
  const evidenceMax = Math.log(r.evidenceNeeded) * 1.25;
  const x = (time) => left + (width - left - right) * (time - begin) / (end - begin);
  const yShare = (share) => height - bottom - (height - top - bottom) * share / shareMax;
  const yEvidence = (evidence) => {
    const log = Math.max(0, Math.min(evidenceMax, Math.log(Math.max(evidence, 1e-9))));
    return height - bottom - (height - top - bottom) * log / evidenceMax;
  };
  const svg = el("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": r.verdict,
  });
  for (const share of [0, shareMax / 2, shareMax]) {
    const y = yShare(share);
    svg.append(
      el("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }),
      el("text", { x: 4, y: y + 4 }, percent(share, 0)),
    );
  }
  for (const evidence of [1, 10, r.evidenceNeeded]) {
    svg.append(el("text", { x: width - right + 6, y: yEvidence(evidence) + 4 }, String(evidence)));
  }
  const needed = yEvidence(r.evidenceNeeded);
  svg.append(el("line", { class: "needed", x1: left, x2: width - right, y1: needed, y2: needed }));
  let step = `M${x(begin)},${yShare(0)}`;
  for (const [i, p] of points.entries()) {
    const next = points[i + 1]?.time ?? end;
    step += `L${x(p.time)},${yShare(p.share)}L${x(next)},${yShare(p.share)}`;
  }
  svg.append(el("path", { class: "share", d: `${step}L${x(end)},${yShare(0)}Z` }));
  for (const [name, field] of [["evidence", "evidence"], ["labels", "labelEvidence"]]) {
    const d = points.map((p, i) => `${i === 0 ? "M" : "L"}${x(p.time)},${yEvidence(p[field])}`);
    svg.append(el("path", { class: name, d: d.join("") }));
  }
  const total = (end - begin) / 1000;
  svg.append(
    el("text", { x: left, y: height - 6 }, "0 s"),
    el("text", { x: width - right - 30, y: height - 6 }, `${total.toFixed(0)} s`),
  );
  return svg;
}

async function getJson(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${answer.status} from ${url}`);
  return await answer.json();
}

async function refresh() {
  const connection = document.querySelector("#connection");
  try {
    const { rollouts } = await getJson(API);
    const running = rollouts.find((r) => r.endedAt === null);
    const shown = rollouts.find((r) => r.id === chosen) ?? running ?? rollouts[0];
    if (chosen === null || !rollouts.some((r) => r.id === chosen)) chosen = null;
    drawList(rollouts.map((r) => r));
    if (shown !== undefined) drawRollout(await getJson(`${API}/${encodeURIComponent(shown.id)}`));
    connection.textContent = running === undefined ? "no rollout is running" : "live";
  } catch (error) {
    connection.textContent = `the registry does not answer (${error.message}); asking again`;
  }
}

async function loop() {
  await refresh();
  setTimeout(loop, POLL_MS);
}

loop();
