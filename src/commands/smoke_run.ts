import { type CommandContext, formatTable } from "../cli/mod.ts";
import { junitXml, SerinError, systemClock, writeFileAtomic } from "../core/mod.ts";
import { systemSleep } from "../kubernetes/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { readConfigFile } from "./config_file.ts";
import { checkUrl, runSmoke, type SmokeCheck } from "./smoke_checks.ts";
import { readExample, zeroRow } from "./smoke_request.ts";

/** The options of `serin smoke`. */
export interface SmokeOptions {
  readonly url: string;
  readonly model: string;
  readonly example?: string | undefined;
  readonly requests: number;
  readonly latencyMsMax: number;
  readonly timeoutSeconds: number;
  readonly json: boolean;
  readonly junit?: string | undefined;
}

/** Asks, writes the report, prints it. @returns 0 or 1 */
export async function run(options: SmokeOptions, context: CommandContext): Promise<number> {
  const { example: path } = options;
  const url = checkUrl(options.url), asked = readModel(options.model);
  const text = path === undefined ? undefined : await readConfigFile("--example", path);
  const checks = await runSmoke({
    url,
    ...asked,
    request: (metadata) =>
      text === undefined ? zeroRow(metadata) : readExample(text, path!, metadata),
    requests: options.requests,
    latencyMsMax: options.latencyMsMax,
    timeoutMs: options.timeoutSeconds * 1000,
  }, { fetch: globalThis.fetch, clock: systemClock, sleep: systemSleep });
  const failed = checks.filter(({ passed }) => !passed).length;
  const outcome = failed === 0 ? "passed" : "failed";
  if (options.junit !== undefined) await writeFileAtomic(options.junit, junitOf(options, checks));
  if (options.json) {
    const version = asked.version ?? null;
    context.print(JSON.stringify({ outcome, url, model: asked.model, version, checks }));
  } else {
    const rows = checks.map(({ id, passed, sentence }) => [id, passed ? "ok" : "failed", sentence]);
    context.print(formatTable(["check", "outcome", "what was seen"], rows));
    context.print("");
    context.print(failed === 0 ? "all is well" : "not well: see above");
  }
  return failed === 0 ? 0 : 1;
}

function readModel(text: string): { model: string; version: string | undefined } {
  if (!text.startsWith("models:/")) return { model: text, version: undefined };
  const uri = parseModelUri(text);
  if (uri.kind === "version") return { model: uri.model, version: uri.version };
  throw new SerinError("usage", `--model must be a name or models:/NAME/VERSION: it is "${text}"`, {
    hint: "a server knows versions by number; without one it chooses itself",
  });
}

function junitOf({ url, model }: SmokeOptions, checks: readonly SmokeCheck[]): string {
  return junitXml({
    name: "serin smoke",
    className: "serin.smoke",
    time: systemClock.now(),
    properties: { url, model },
    cases: checks.map(({ id, passed, sentence }) => ({
      name: id,
      text: sentence,
      problem: passed ? undefined : { kind: "failure", type: "failed" },
    })),
  });
}
