import { formatTable } from "../cli/mod.ts";
import {
  CHALLENGER,
  CHAMPION,
  type DeploymentStatus,
  formatChange,
  type HistoryEntry,
  type ModelMove,
  type PlannedAction,
  type PlannedObject,
  type Release,
  type TokensPlan,
} from "../deploy/release/mod.ts";
import { describeReference } from "../kubernetes/mod.ts";

const SIGNS: Readonly<Record<PlannedAction, string>> = {
  create: "+",
  change: "~",
  unchanged: "=",
  remove: "-",
  keep: "=",
  refused: "!",
};

/** What `deploy plan` shows. */
export interface PlanView {
  readonly namespace: string;
  readonly release: Release | undefined;
  readonly objects: readonly PlannedObject[];
  readonly tokens: TokensPlan;
  /** The move, why there can be none, or undefined where none is wanted. */
  readonly model: ModelMove | { readonly problem: string } | undefined;
}

/** @returns a plan for a person: each object that is not unchanged, then the numbers */
export function planText({ namespace, release, objects, tokens, model }: PlanView): string {
  const against = release === undefined
    ? "nothing was applied there yet"
    : `release ${release.number} of ${timeText(release.time)} is applied`;
  const lines = [`Namespace ${namespace}: ${against}`, ""];
  lines.push(...tokensLines(namespace, tokens));
  for (const object of objects) {
    if (object.action !== "unchanged") lines.push(...objectLines(object));
  }
  if (lines.length > 2) lines.push("");
  lines.push(...modelLines(model), countsText(objects));
  return lines.join("\n");
}

function tokensLines(namespace: string, { action, keys }: TokensPlan): string[] {
  if (action === "unchanged") return [];
  const head = `${SIGNS[action]} ${action.padEnd(10)} Secret ${namespace}/serin-tokens`;
  return action === "create"
    ? [`${head}, with random tokens`]
    : [head, ...keys.map((key) => `    + data.${key}: a random token`)];
}

function objectLines({ reference, action, changes, reason, hint }: PlannedObject): string[] {
  const head = `${SIGNS[action]} ${action.padEnd(10)} ${describeReference(reference)}`;
  return [
    reason === undefined ? head : `${head}: ${reason}`,
    ...(hint === undefined ? [] : [`      hint: ${hint}`]),
    ...changes.map((change) => `    ${formatChange(change)}`),
  ];
}

function modelLines(model: PlanView["model"]): string[] {
  if (model === undefined) return [];
  if ("problem" in model) return [`! model      ${model.problem}`, ""];
  const { model: name, alias, from, to, effect, ends } = model;
  const ended = ends.length === 0 ? "" : `; ends rollout ${ends.join(", ")}`;
  return [`~ model      ${name} ${alias}: ${from ?? "none"} → ${to}: ${effect}${ended}`, ""];
}

const COUNT_WORDS: readonly (readonly [PlannedAction, planned: string, done: string])[] = [
  ["create", "to create", "created"],
  ["change", "to change", "changed"],
  ["unchanged", "unchanged", "unchanged"],
  ["remove", "to remove", "removed"],
  ["keep", "no longer rendered but kept", "no longer rendered but kept"],
  ["refused", "refused", "refused"],
];

/** @returns e.g. `1 to create, 19 unchanged`, or of what is done `1 created, 19 unchanged` */
export function countsText(objects: readonly PlannedObject[], isDone = false): string {
  const counts = countActions(objects);
  return COUNT_WORDS.filter(([action]) => counts[action] > 0)
    .map(([action, planned, done]) => `${counts[action]} ${isDone ? done : planned}`).join(", ");
}

/** @returns how many objects each action has */
export function countActions(
  objects: readonly PlannedObject[],
): Record<PlannedAction, number> {
  const counts = { create: 0, change: 0, unchanged: 0, remove: 0, keep: 0, refused: 0 };
  for (const { action } of objects) counts[action]++;
  return counts;
}

/** @returns an installation's state for a person */
export function statusText(status: DeploymentStatus): string {
  const { namespace, release, workloads, autoscalers, registry, problems } = status;
  const parts = [
    `Namespace ${namespace}, ` +
    (release === undefined
      ? "no release of `serin deploy apply`"
      : `release ${release.number} (${release.outcome}) of ${timeText(release.time)} by ` +
        `${release.by}, serin ${release.serinVersion}`),
  ];
  if (workloads.length > 0) {
    parts.push(formatTable(
      ["workload", "ready", "updated", "restarts", "image", "state"],
      workloads.map((one) => [
        `${one.reference.kind} ${one.reference.name}`,
        `${one.ready}/${one.desired}`,
        `${one.updated}`,
        one.lastEnd === undefined ? `${one.restarts}` : `${one.restarts} (${one.lastEnd})`,
        one.images.join(", "),
        one.health.state,
      ]),
    ));
  }
  if (autoscalers.length > 0) {
    parts.push(formatTable(
      ["autoscaler", "replicas", "metrics", "state"],
      autoscalers.map(({ reference, replicas: { now, min, max }, metrics, health }) => [
        reference.name,
        `${now} (${min} to ${max})`,
        metrics,
        health.state,
      ]),
    ));
  }
  parts.push(...registryParts(registry));
  parts.push(
    problems.length === 0
      ? "All is well."
      : ["Not well:", ...problems.map((line) => `  - ${line}`)].join("\n"),
  );
  return parts.join("\n\n");
}

function registryParts({ models, replicas, rollouts }: DeploymentStatus["registry"]): string[] {
  const parts: string[] = [];
  if (models.length > 0) {
    parts.push(formatTable(
      ["model", CHAMPION, CHALLENGER],
      models.map(({ name, aliases }) => [
        name,
        aliases[CHAMPION] ?? "",
        aliases[CHALLENGER] ?? "",
      ]),
    ));
  }
  if (replicas.length > 0) {
    parts.push(formatTable(
      ["replica", "live", "versions"],
      replicas.map(({ replica, live, models }) => [
        replica,
        live ? "yes" : "no",
        models.map(({ model, held }) => `${model} ${held.map(heldText).join(" ")}`.trimEnd()).join(
          ", ",
        ),
      ]),
    ));
  }
  if (rollouts.length > 0) {
    parts.push(formatTable(
      ["rollout", "model", "versions", "phase", "share", "requests", "verdict"],
      rollouts.map((one) => [
        one.id,
        one.model,
        `${one.stable} → ${one.canary}`,
        one.phase,
        `${Math.round(one.share * 1000) / 10} %`,
        `${one.canaryRequests}`,
        one.verdict,
      ]),
    ));
  }
  return parts;
}

function heldText(held: { version: string; warm: boolean; error?: string | undefined }): string {
  if (held.warm) return `${held.version} (warm)`;
  return `${held.version} (${held.error ?? "loading"})`;
}

/** @returns what happened, for a person: a line each, a release's changes below it */
export function historyText(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return "Nothing happened yet: no release, no champion.";
  return entries.flatMap((entry) =>
    entry.kind === "release" ? releaseLines(entry) : [championLine(entry)]
  ).join("\n");
}

function releaseLines(entry: Extract<HistoryEntry, { kind: "release" }>): string[] {
  const { number, outcome, images, by, cause, overlay, serinVersion } = entry.release;
  const head = `${timeText(entry.time)}  release ${number}  ${outcome}  ${images.join(", ")}  ` +
    `by ${by}  ${cause}`;
  if (entry.changes !== undefined) {
    return [head, ...entry.changes.map((change) => `    ${formatChange(change)}`)];
  }
  return [head, `    overlay ${overlay}, serin ${serinVersion}`];
}

function championLine(entry: Extract<HistoryEntry, { kind: "champion" }>): string {
  const { model, version, previous, cause, rollout } = entry;
  const what = `${previous ?? "none"} → ${version ?? "none"}`;
  return `${timeText(entry.time)}  champion of ${model}  ${what}  ${cause}` +
    (rollout === undefined ? "" : ` (rollout ${rollout})`);
}

/** @returns e.g. `2026-01-01 12:00:00Z` */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}
