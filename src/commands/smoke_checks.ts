import { z } from "zod";
import { type Clock, messageOf, SerinError } from "../core/mod.ts";
import type { Sleep } from "../kubernetes/mod.ts";
import { type Metadata, metadataSchema, type SmokeRequest } from "./smoke_request.ts";

const RETRY_MS = 250;
const ANSWER_MS_MAX = 30_000;

/** One thing that was tried. */
export interface SmokeCheck {
  readonly id: "ready" | "model" | "version" | "answer" | "latency";
  readonly passed: boolean;
  /** Starts lower case, no final period. */
  readonly sentence: string;
}

/** What is asked, and what is expected. */
export interface SmokePlan {
  /** The server's address, without a slash at its end. */
  readonly url: string;
  readonly model: string;
  /** The version that must answer; undefined: any. */
  readonly version: string | undefined;
  /** Makes the request out of what the server says of the model. */
  readonly request: (metadata: Metadata) => SmokeRequest;
  readonly requests: number;
  readonly latencyMsMax: number;
  readonly timeoutMs: number;
}

/** What a smoke test uses of the outside. */
export interface SmokeParts {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

const answerSchema = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  outputs: z.array(z.object({
    name: z.string(),
    datatype: z.string(),
    shape: z.array(z.number()),
    data: z.array(z.unknown()),
  })),
});
type Answer = z.output<typeof answerSchema>;

/** @returns the checks up to the first that fails: what comes after it cannot be tried */
export async function runSmoke(plan: SmokePlan, parts: SmokeParts): Promise<SmokeCheck[]> {
  const deadline = parts.clock.monotonic() + plan.timeoutMs;
  const until = (attempt: () => Promise<string | undefined>) => untilWell(attempt, parts, deadline);
  const checks: SmokeCheck[] = [];
  const add = (id: SmokeCheck["id"], problem: string | undefined, well: string): boolean => {
    checks.push({ id, passed: problem === undefined, sentence: problem ?? well });
    return problem === undefined;
  };
  const ready = await until(() => problemOf(parts, `${plan.url}/v2/health/ready`));
  if (!add("ready", ready, `${plan.url} is ready`)) return checks;

  const path = modelPath(plan);
  let metadata: Metadata | undefined;
  const missing = await until(async () => {
    const told = await read(parts, path, metadataSchema);
    if (typeof told === "string") return told;
    metadata = told;
    return await problemOf(parts, `${path}/ready`);
  });
  const id = plan.version === undefined ? "model" : "version";
  if (!add(id, missing, servedText(plan, metadata)) || metadata === undefined) return checks;

  const request = plan.request(metadata), times: number[] = [];
  for (let i = 0; i < plan.requests; i++) {
    const started = parts.clock.monotonic();
    const answer = await read(parts, `${path}/infer`, answerSchema, request);
    times.push(parts.clock.monotonic() - started);
    const problem = typeof answer === "string" ? answer : faultOf(answer, metadata, plan, request);
    if (problem !== undefined) {
      add("answer", `request ${i + 1} of ${plan.requests}: ${problem}`, "");
      return checks;
    }
  }
  const outputs = metadata.outputs.map(({ name }) => name).join(", ");
  add("answer", undefined, `${plan.requests} requests answered with ${outputs}`);
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  const sentence = `median ${median.toFixed(1)} ms, slowest ${times.at(-1)!.toFixed(1)} ms; ` +
    `${plan.latencyMsMax} ms are allowed`;
  checks.push({ id: "latency", passed: median <= plan.latencyMsMax, sentence });
  return checks;
}

/** @returns why it did not become well before the deadline */
async function untilWell(
  attempt: () => Promise<string | undefined>,
  { clock, sleep }: SmokeParts,
  deadline: number,
): Promise<string | undefined> {
  for (;;) {
    const problem = await attempt();
    const left = deadline - clock.monotonic();
    if (problem === undefined || left <= 0) return problem;
    await sleep(Math.min(RETRY_MS, left));
  }
}

function modelPath({ url, model, version }: SmokePlan): string {
  const path = `${url}/v2/models/${encodeURIComponent(model)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

function servedText({ model, version }: SmokePlan, metadata: Metadata | undefined): string {
  const columns = `${metadata?.inputs.length} inputs, ${metadata?.outputs.length} outputs`;
  return version === undefined
    ? `${model} is served: ${columns}`
    : `${model} version ${version} is served: ${columns}`;
}

async function problemOf(parts: SmokeParts, url: string): Promise<string | undefined> {
  const told = await read(parts, url, z.unknown());
  return typeof told === "string" ? told : undefined;
}

/** @returns the answer, or what is wrong with it in words */
async function read<T>(
  { fetch }: SmokeParts,
  url: string,
  schema: z.ZodType<T>,
  body?: unknown,
): Promise<T | string> {
  let status: number, text: string;
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      ...(body === undefined ? {} : {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    status = answer.status;
    text = await answer.text();
  } catch (cause) {
    return `cannot reach ${url}: ${messageOf(cause)}`;
  }
  if (status !== 200) return `${url} answered ${status}: ${text.trim().slice(0, 300)}`;
  try {
    const result = schema.safeParse(text.trim() === "" ? {} : JSON.parse(text));
    if (result.success) return result.data;
  } catch {
    // Not JSON: as wrong as JSON of another form.
  }
  return `${url} answers nothing of the Open Inference Protocol: ${text.slice(0, 200)}`;
}

/** @returns what is wrong with an answer */
function faultOf(
  answer: Answer,
  metadata: Metadata,
  { version }: SmokePlan,
  request: SmokeRequest,
): string | undefined {
  if (version !== undefined && answer.model_version !== version) {
    return `version ${answer.model_version} answered, not ${version}`;
  }
  const rows = request.inputs[0]?.shape[0] ?? 1;
  for (const { name } of metadata.outputs) {
    const output = answer.outputs.find((output) => output.name === name);
    if (output === undefined) return `the answer has no output "${name}"`;
    if (output.shape[0] !== rows) {
      return `output "${name}" has ${output.shape[0]} rows for ${rows} that were asked`;
    }
    const count = output.shape.reduce((product, size) => product * size, 1);
    if (output.data.flat(Infinity).length !== count) {
      return `output "${name}" has ${output.data.length} values, its shape wants ${count}`;
    }
    // JSON has no NaN: it arrives as null.
    if (output.data.flat(Infinity).some((value) => value === null || value === "NaN")) {
      return `output "${name}" has a value that is no number`;
    }
  }
  return undefined;
}

/** @throws {SerinError} `usage` for an address that is no http(s) URL */
export function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, "");
  throw new SerinError("usage", `--url must be an http(s) address: it is "${text}"`, {
    hint: "e.g. http://localhost:8080",
  });
}
