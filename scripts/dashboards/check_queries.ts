/**
 * Runs every query of a dashboard against a live Prometheus, and looks for what dashboards get wrong:
 * an answer that is empty or NaN, a panel without title, description or unit, a counter without rate(),
 * variables that there are not, legends that name labels which the answer lacks, panels that overlap.
 */
// deno-lint-ignore no-explicit-any -- a dashboard's JSON, and Prometheus' answers
type Json = any;

/** A dashboard and where its data are. */
export interface QueryCheck {
  readonly name: string;
  readonly dashboard: Json;
  readonly prometheusUrl: string;
  /** Seconds since the epoch. */
  readonly from: number;
}

const BUILTIN = { __rate_interval: "20s", __interval: "2s", __range: "300s" };
const VARIABLE = /\$\{?(\w+)\}?/g;

/** @returns what is wrong, and how many queries were run */
export async function checkQueries(
  check: QueryCheck,
): Promise<{ problems: string[]; queries: number }> {
  const problems = [...layoutProblems(check.dashboard)];
  const variables = await readVariables(check, problems);
  const counters = await readCounters(check.prometheusUrl);
  let queries = 0;
  for (const panel of check.dashboard.panels) {
    if (panel.type === "row") continue;
    problems.push(...panelProblems(panel));
    for (const target of panel.targets) {
      queries++;
      const where = `[${panel.title}] ${target.refId}`;
      for (const problem of textProblems(target.expr, counters, target.instant)) {
        problems.push(`${where}: ${problem}`);
      }
      const problem = await answerProblem(check, target, variables);
      if (problem !== undefined) problems.push(`${where}: ${problem}`);
    }
  }
  return { problems: problems.map((problem) => `${check.name}: ${problem}`), queries };
}

function layoutProblems({ panels, description }: Json): string[] {
  const problems: string[] = description ? [] : ["no description"];
  const ids = panels.map(({ id }: Json) => id);
  if (new Set(ids).size !== ids.length) problems.push("panels share an id");
  panels.forEach((one: Json, i: number) => {
    const a = one.gridPos;
    if (a.x + a.w > 24) problems.push(`[${one.title}] is wider than the grid`);
    for (const other of panels.slice(i + 1)) {
      const b = other.gridPos;
      const isBeside = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      if (!isBeside) problems.push(`[${one.title}] overlaps [${other.title}]`);
    }
  });
  return problems;
}

function panelProblems({ title, description, targets, datasource, fieldConfig }: Json): string[] {
  const refs = targets.map(({ refId }: Json) => refId);
  return [
    ...(title ? [] : ["a panel has no title"]),
    ...(description ? [] : [`[${title}] no description`]),
    ...(fieldConfig.defaults.unit ? [] : [`[${title}] no unit`]),
    ...(datasource.uid === "${datasource}" ? [] : [`[${title}] its data source is no variable`]),
    ...(new Set(refs).size === refs.length ? [] : [`[${title}] queries share a refId`]),
  ];
}

function textProblems(expr: string, counters: ReadonlySet<string>, isInstant: boolean): string[] {
  const problems: string[] = [];
  if (/\[\d+[smhd]\]/.test(expr)) problems.push("a fixed range: use $__rate_interval");
  for (const [name] of expr.matchAll(/\bserin_[a-z0-9_]+/g)) {
    const isCounter = counters.has(name.replace(/_(bucket|sum|count)$/, ""));
    const isRate = new RegExp(`(rate|increase|changes)\\s*\\(\\s*${name}\\b`).test(expr);
    if (isCounter && !isRate && !isInstant) problems.push(`the counter ${name} without rate()`);
  }
  return problems;
}

async function readVariables(
  { dashboard, prometheusUrl }: QueryCheck,
  problems: string[],
): Promise<Map<string, string>> {
  const variables = new Map<string, string>(Object.entries(BUILTIN));
  for (const variable of dashboard.templating.list) {
    if (variable.type === "datasource") continue;
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(variable.query.query)!;
    const { data } = await ask(prometheusUrl, `label/${label}/values`, { "match[]": metric });
    if (!data?.length) problems.push(`the variable ${variable.name} has no values`);
    variables.set(variable.name, `(${(data ?? []).join("|")})`);
  }
  return variables;
}

async function readCounters(prometheusUrl: string): Promise<Set<string>> {
  const { data } = await ask(prometheusUrl, "metadata", {});
  const isCounter = ([, types]: [string, Json]) =>
    types.some(({ type }: Json) => type === "counter" || type === "histogram");
  return new Set(Object.entries(data as Json).filter(isCounter).map(([name]) => name));
}

async function answerProblem(
  { prometheusUrl, from }: QueryCheck,
  { expr, instant, legendFormat = "" }: Json,
  variables: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const unknown: string[] = [];
  const query = expr.replaceAll(VARIABLE, (text: string, name: string) => {
    if (!variables.has(name)) unknown.push(name);
    return variables.get(name) ?? text;
  });
  if (unknown.length > 0) return `there is no variable ${unknown.join(", ")}`;
  const now = String(Date.now() / 1000);
  const { data, error } = instant
    ? await ask(prometheusUrl, "query", { query, time: now })
    : await ask(prometheusUrl, "query_range", { query, start: String(from), end: now, step: "2" });
  if (error !== undefined) return `${error}: ${query}`;
  const series: Json[] = data.result;
  const values = series.flatMap((one) => one.values ?? [one.value]).map(([, text]: Json) => text);
  if (values.length === 0) return `no data: ${query}`;
  if (values.every((text) => text === "NaN")) return `only NaN: ${query}`;
  const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
  const lacking = labels.filter((label) => series.some(({ metric }) => !(label in metric)));
  return lacking.length > 0 ? `the legend names ${lacking.join(", ")}, which lacks` : undefined;
}

async function ask(
  prometheusUrl: string,
  path: string,
  parameters: Record<string, string>,
): Promise<Json> {
  const query = new URLSearchParams(parameters);
  return await (await fetch(`${prometheusUrl}/api/v1/${path}?${query}`)).json();
}
