import { z } from "zod";
import { SerinError } from "../../core/mod.ts";
import { NONCE_BYTES, type PredictionBlock } from "./prediction_block.ts";

/** How far a log was sent: the numbers of the last block and of the last label. */
export interface LogCursor {
  readonly block: number;
  readonly label: number;
}

/** A block of a log, by its number there. */
export interface SentBlock extends PredictionBlock {
  readonly id: number;
}

/** A label of a log, by its number there. */
export interface SentLabel {
  readonly id: number;
  readonly nonce: Uint8Array;
  readonly row: number;
  readonly label: string;
}

/** What is sent at once. */
export interface PredictionBatch {
  /** Names the log, and nothing else. */
  readonly log: string;
  /** How far the receiver has it, as it has said: where it has less by now, it takes nothing. */
  readonly from: LogCursor;
  /** How far the log is sent with this: what is missing up to there has left the ring. */
  readonly to: LogCursor;
  /** Numbers ascend, from above `from` up to `to`. */
  readonly blocks: readonly SentBlock[];
  readonly labels: readonly SentLabel[];
}

/** What the receiver answers. */
export interface BatchAnswer {
  /** How far it has the log, on its disk. */
  readonly cursor: LogCursor;
  /** Blocks that it can make nothing of; they are not asked for again. */
  readonly refused: readonly RefusedBlock[];
}

/** A block that was refused. */
export interface RefusedBlock {
  readonly id: number;
  readonly message: string;
}

/** Media type of a batch. */
export const BATCH_TYPE = "application/octet-stream";

/** "SPB", and the format's number. */
const MAGIC = [0x53, 0x50, 0x42, 1] as const;
const HEAD_BYTES = MAGIC.length + 4;
const LOG_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NONCE = new RegExp(`^[0-9a-f]{${2 * NONCE_BYTES}}$`);
/** As long as `POST /v1/labels` takes them, with room for numbers. */
const LABEL_CHARACTERS_MAX = 1000;

const id = z.int().min(1);
const cursorSchema = z.strictObject({ block: z.int().min(0), label: z.int().min(0) });

const headerSchema = z.strictObject({
  log: z.string().regex(LOG_ID),
  from: cursorSchema,
  to: cursorSchema,
  blocks: z.array(z.strictObject({
    id,
    model: z.string(),
    version: z.string(),
    columns: z.array(z.strictObject({ name: z.string(), datatype: z.string() })),
    firstMs: z.number(),
    lastMs: z.number(),
    requests: z.int().min(0),
    rows: z.int().min(0),
    bytes: z.int().min(0),
  })),
  labels: z.array(z.tuple([
    id,
    z.string().regex(NONCE),
    z.int().min(0),
    // The database would refuse NUL, and the whole batch with it.
    z.string().max(LABEL_CHARACTERS_MAX).regex(/^[^\0]*$/),
  ])),
});

/** The form of {@linkcode BatchAnswer} and of the answer to a question for the cursor. */
export const batchAnswerSchema = z.object({
  cursor: z.object({ block: z.int().min(0), label: z.int().min(0) }),
  refused: z.array(z.object({ id: z.int(), message: z.string() })).default([]),
});

/** @returns whether a text can name a log: a UUID in lower case */
export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/**
 * Packs a batch: the bytes "SPB" and 1 (the format); the length of the header, 4 bytes, little-endian;
 * the header, a JSON document in UTF-8; then the bodies of the blocks, one directly after another, each
 * as long as its entry in the header says.
 *
 * The header: `{"log": UUID, "from": {"block", "label"}, "to": the same, "blocks": [{"id", "model", "version", "columns":
 * [{"name", "datatype"}…], "firstMs", "lastMs", "requests", "rows", "bytes"}…], "labels": [[id, nonce in
 * hexadecimal, row, label]…]}`. Ids ascend strictly, from above `from` up to `to`.
 */
export function encodeBatch(
  { log, from, to, blocks, labels }: PredictionBatch,
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(JSON.stringify({
    ...{ log, from, to },
    blocks: blocks.map(({ bytes, ...block }) => ({ ...block, bytes: bytes.length })),
    labels: labels.map(({ id, nonce, row, label }) => [id, nonce.toHex(), row, label]),
  }));
  const size = blocks.reduce((sum, { bytes }) => sum + bytes.length, HEAD_BYTES + header.length);
  const packed = new Uint8Array(size);
  packed.set(MAGIC);
  new DataView(packed.buffer).setUint32(MAGIC.length, header.length, true);
  packed.set(header, HEAD_BYTES);
  let at = HEAD_BYTES + header.length;
  for (const { bytes } of blocks) {
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed;
}

/**
 * Reads what {@linkcode encodeBatch} packed. What is in the blocks is not looked at.
 *
 * @throws {SerinError} `invalid_input` for anything else
 */
export function decodeBatch(packed: Uint8Array<ArrayBuffer>): PredictionBatch {
  const { header, bodyAt } = readHeader(packed);
  const { log, from, to } = header;
  let at = bodyAt;
  const blocks = header.blocks.map((block) => {
    const bytes = packed.subarray(at, at + block.bytes);
    at += block.bytes;
    return { ...block, bytes };
  });
  if (at !== packed.length) {
    throw notABatch(`its blocks have ${at - bodyAt} bytes, ${packed.length - bodyAt} came`);
  }
  const labels = header.labels.map(([id, nonce, row, label]) => ({
    ...{ id, row, label },
    nonce: Uint8Array.fromHex(nonce),
  }));
  checkAscending("blocks", blocks, from.block, to.block);
  checkAscending("labels", labels, from.label, to.label);
  return { log, from, to, blocks, labels };
}

function readHeader(packed: Uint8Array<ArrayBuffer>) {
  if (packed.length < HEAD_BYTES || MAGIC.some((byte, i) => packed[i] !== byte)) {
    throw notABatch("it does not begin as one of format 1 does");
  }
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(MAGIC.length, true);
  const bodyAt = HEAD_BYTES + length;
  if (bodyAt > packed.length) {
    throw notABatch(`its header has ${length} bytes, ${packed.length - HEAD_BYTES} came`);
  }
  let json: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true });
    json = JSON.parse(text.decode(packed.subarray(HEAD_BYTES, bodyAt)));
  } catch (cause) {
    throw notABatch("its header is no JSON", cause);
  }
  const parsed = headerSchema.safeParse(json);
  if (parsed.success) return { header: parsed.data, bodyAt };
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw notABatch(problems.join("; "), parsed.error);
}

function checkAscending(
  what: string,
  entries: readonly { readonly id: number }[],
  from: number,
  to: number,
): void {
  if (from > to) throw notABatch(`${what} are sent from ${from} to ${to}`);
  entries.forEach(({ id }, i) => {
    const before = i === 0 ? from : entries[i - 1].id;
    if (id > before && id <= to) return;
    throw notABatch(`${what}.${i} has the number ${id}, after ${before} and up to ${to}`);
  });
}

function notABatch(why: string, cause?: unknown): SerinError {
  return new SerinError("invalid_input", `This is no batch of predictions: ${why}`, {
    hint: "serin serve --prediction-log-to sends them; both should be of the same version",
    cause,
  });
}
