import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { assert, LIMITS, type Random } from "../core/mod.ts";
import { ByteReader, ByteWriter } from "./byte_codec.ts";
import type { Arm } from "./sync.ts";

/**
 * Prediction tokens: every answer carries one, sealed, so that a label that comes weeks later
 * becomes counts without any stored prediction.
 *
 * Bytes, as base64url: format (1), length of the key's id, id, 12 bytes of nonce, ciphertext, 16
 * bytes of tag (AES-256-GCM; all before the ciphertext is authenticated too). The first 8 bytes of
 * the nonce name the assignment.
 */

/** A key as the sync hands it out. */
export interface TokenKey {
  readonly id: string;
  /** 32 bytes, base64. */
  readonly key: string;
}

/** What one row was predicted to be. */
export interface TokenPrediction {
  /** A class: a whole number, or its name. */
  readonly label: number | string;
  /** The probability given to that class; rounded to float32. */
  readonly probability?: number;
}

/** What a token says once it is open. */
export interface PredictionToken {
  readonly keyId: string;
  readonly model: string;
  /** The version that answered. */
  readonly version: string;
  /** The rollout that drew the arm; undefined outside of rollouts. */
  readonly rollout: string | undefined;
  readonly step: number;
  readonly arm: Arm;
  /** When it was answered, milliseconds since the epoch. */
  readonly time: number;
  /** Names the assignment: 16 hexadecimal digits. */
  readonly nonce: string;
  /** Hash of the sticky key, 32 bits, if the caller gave one. */
  readonly keyHash: number | undefined;
  /** How many rows the answer had. */
  readonly rows: number;
  /** One for each row; undefined where they did not fit, or are no classes. */
  readonly predictions: readonly TokenPrediction[] | undefined;
}

/** What is sealed; the sealer adds key and nonce. */
export type TokenContent = Omit<PredictionToken, "keyId" | "nonce">;

const FORMAT = 1;
const IV_BYTES = 12, TAG_BYTES = 16;
/** Bytes that name an assignment. */
export const TOKEN_NONCE_BYTES = 8;
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BYTES_MAX = Math.floor(LIMITS.tokenCharactersMax * 3 / 4);
const LABEL_MAX = 2 ** 51;

/** How predictions are written. */
const FORM = { none: 0, integers: 1, texts: 2, probabilities: 4 } as const;
const FLAG = { canary: 8, rollout: 16, keyHash: 32 } as const;

/** Seals tokens with the first of the keys. */
export interface TokenSealer {
  /**
   * @returns at most 512 characters; predictions are left out when they do not fit. undefined when
   * not even the names fit (a model's name of more than about 280 bytes)
   */
  seal(content: TokenContent): string | undefined;
}

/**
 * @param keys as the sync's answer gives them; the first one seals
 * @param random for nonces; the system's, outside of tests
 *
 * @example Seal and open
 * ```ts
 * import { SystemRandom } from "../core/mod.ts";
 * import { createTokenSealer, openToken } from "./token.ts";
 * const key = { id: "a", key: btoa("0123456789abcdef0123456789abcdef") };
 * const sealed = createTokenSealer([key], new SystemRandom()).seal({
 *   model: "iris", version: "3", rollout: undefined, step: 0, arm: "stable", time: Date.now(),
 *   keyHash: undefined, rows: 1, predictions: [{ label: 2, probability: 0.75 }],
 * });
 * const token = openToken(sealed!, () => new TextEncoder().encode(atob(key.key)));
 * console.assert(typeof token !== "string" && token.predictions?.[0].label === 2);
 * ```
 */
export function createTokenSealer(keys: readonly TokenKey[], random: Random): TokenSealer {
  assert(keys.length > 0, "a sealer needs a key");
  const [{ id, key }] = keys;
  const secret = Buffer.from(key, "base64");
  assert(secret.length === 32, `A token key must have 32 bytes: "${id}" has others`);
  const encodedId = new TextEncoder().encode(id);
  assert(encodedId.length <= 32, `A token key's id must be short: "${id}"`);
  const header = new Uint8Array(2 + encodedId.length + IV_BYTES);
  header.set([FORMAT, encodedId.length, ...encodedId]);
  const writer = new ByteWriter(BYTES_MAX - header.length - TAG_BYTES);
  return {
    seal(content) {
      if (!writeContent(writer, content)) return undefined;
      const iv = header.subarray(header.length - IV_BYTES);
      const words = new DataView(iv.buffer, iv.byteOffset);
      for (let i = 0; i < IV_BYTES; i += 4) words.setUint32(i, random.uint32());
      return encrypt(secret, header, iv, writer.written);
    },
  };
}

function encrypt(key: Uint8Array, header: Uint8Array, iv: Uint8Array, plain: Uint8Array): string {
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(header);
  const sealed = cipher.update(plain);
  cipher.final();
  return Buffer.concat([header, sealed, cipher.getAuthTag()]).toString("base64url");
}

/**
 * @param findKey the 32 bytes of a key, or undefined where it is not known (any more)
 * @returns the token, or why it cannot be opened
 */
export function openToken(
  text: string,
  findKey: (id: string) => Uint8Array | undefined,
): PredictionToken | "invalid_token" | "unknown_key" {
  const bytes = Buffer.from(text, "base64url");
  const idLength = bytes[1] ?? 0, ivAt = 2 + idLength, sealedAt = ivAt + IV_BYTES;
  if (bytes[0] !== FORMAT || bytes.length < sealedAt + TAG_BYTES) return "invalid_token";
  const keyId = bytes.subarray(2, ivAt).toString("utf8");
  const key = findKey(keyId);
  if (key === undefined) return "unknown_key";
  try {
    const iv = bytes.subarray(ivAt, sealedAt);
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(bytes.subarray(0, sealedAt));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const plain = decipher.update(bytes.subarray(sealedAt, bytes.length - TAG_BYTES));
    decipher.final();
    const nonce = iv.subarray(0, TOKEN_NONCE_BYTES).toString("hex");
    return { keyId, nonce, ...readContent(new ByteReader(plain)) };
  } catch {
    return "invalid_token";
  }
}

/**
 * By hand: a decoder of the platform takes 2 µs for the few bytes that are wanted of each answer.
 *
 * @param text a sealed token
 * @param nonce filled and returned; default a new one
 * @returns the 8 bytes that name its assignment, which are not secret; undefined for what is no token
 */
export function readTokenNonce(
  text: string,
  nonce: Uint8Array = new Uint8Array(TOKEN_NONCE_BYTES),
): Uint8Array | undefined {
  if (byteAt(text, 0) !== FORMAT) return undefined;
  const at = 2 + byteAt(text, 1);
  for (let i = 0; i < TOKEN_NONCE_BYTES; i++) {
    const byte = byteAt(text, at + i);
    if (byte < 0) return undefined;
    nonce[i] = byte;
  }
  return nonce;
}

/** @returns a byte of a base64url text; negative where there is none */
function byteAt(text: string, at: number): number {
  const bit = 8 * at, shift = bit % 6, first = (bit - shift) / 6;
  const high = sextet(text.charCodeAt(first)), low = sextet(text.charCodeAt(first + 1));
  return high < 0 || low < 0 ? -1 : ((high << (2 + shift)) | (low >> (4 - shift))) & 0xff;
}

/** Values of base64url's digits by their codes; -1 for what is none. */
const SEXTETS = new Int8Array(128).fill(-1);
for (const [value, digit] of [...BASE64URL].entries()) SEXTETS[digit.charCodeAt(0)] = value;

/** @param code NaN past the end */
function sextet(code: number): number {
  return code < SEXTETS.length ? SEXTETS[code] : -1;
}

/** Tries the fullest form first. @returns whether any form fits */
function writeContent(writer: ByteWriter, content: TokenContent): boolean {
  const { predictions } = content, full = formOf(predictions);
  const forms = [full, full & ~FORM.probabilities, FORM.none];
  for (const form of forms) {
    writer.rewind(0);
    writer.byte(
      form | (content.arm === "canary" ? FLAG.canary : 0) |
        (content.rollout !== undefined ? FLAG.rollout : 0) |
        (content.keyHash !== undefined ? FLAG.keyHash : 0),
    );
    writer.varint(Math.max(0, Math.floor(content.time)));
    writer.byte(content.step);
    writer.varint(content.rows);
    writer.text(content.model);
    writer.text(content.version);
    if (content.rollout !== undefined) writer.text(content.rollout);
    if (content.keyHash !== undefined) writer.varint(content.keyHash);
    if (form !== FORM.none) writePredictions(writer, predictions!, form);
    if (!writer.overflowed) return true;
  }
  return false;
}

function formOf(predictions: readonly TokenPrediction[] | undefined): number {
  // More rows than bytes cannot fit: do not even look at them.
  if (predictions === undefined || predictions.length === 0 || predictions.length > BYTES_MAX) {
    return FORM.none;
  }
  const whole = (label: number | string) =>
    typeof label === "number" && Number.isInteger(label) && Math.abs(label) < LABEL_MAX;
  const form = predictions.every(({ label }) => whole(label))
    ? FORM.integers
    : predictions.every(({ label }) => typeof label === "string")
    ? FORM.texts
    : FORM.none;
  const probable = predictions.every(({ probability }) => probability !== undefined);
  return form !== FORM.none && probable ? form | FORM.probabilities : form;
}

function writePredictions(
  writer: ByteWriter,
  predictions: readonly TokenPrediction[],
  form: number,
): void {
  for (const { label, probability } of predictions) {
    if (typeof label === "string") writer.text(label);
    else writer.varint(label >= 0 ? label * 2 : -label * 2 - 1);
    if (form & FORM.probabilities) writer.float32(probability!);
    if (writer.overflowed) return;
  }
}

function readContent(reader: ByteReader): TokenContent {
  const flags = reader.byte(), form = flags & 7;
  const time = reader.varint(), step = reader.byte(), rows = reader.varint();
  const model = reader.text(), version = reader.text();
  const rollout = flags & FLAG.rollout ? reader.text() : undefined;
  const keyHash = flags & FLAG.keyHash ? reader.varint() : undefined;
  const predictions = form === FORM.none ? undefined : readPredictions(reader, rows, form);
  if (!reader.done) throw new RangeError("more than a token");
  const arm = flags & FLAG.canary ? "canary" : "stable";
  return { model, version, rollout, step, arm, time, keyHash, rows, predictions };
}

function readPredictions(reader: ByteReader, rows: number, form: number): TokenPrediction[] {
  return Array.from({ length: Math.min(rows, BYTES_MAX) }, () => {
    const label = form & FORM.texts ? reader.text() : unzigzag(reader.varint());
    return form & FORM.probabilities ? { label, probability: reader.float32() } : { label };
  });
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/**
 * Whether a label contradicts a prediction. Where the predicted class is a whole number, 1, 1.0,
 * "1", "1.0", true and "true" are the same label; where it is a name, labels are compared as texts.
 */
export function isWrong(predicted: number | string, label: string | number | boolean): boolean {
  if (typeof predicted === "string") return predicted !== String(label);
  return predicted !== classNumber(label);
}

/**
 * Whether a label can be one of the classes that a prediction is one of, as far as that one tells: a label
 * that cannot be would count as a wrong answer, and end in what the model is trained on next.
 */
export function mayBeClass(predicted: number | string, label: string | number | boolean): boolean {
  if (typeof predicted === "string" || !Number.isInteger(predicted)) return true;
  return Number.isInteger(classNumber(label));
}

function classNumber(label: string | number | boolean): number {
  if (typeof label !== "string") return Number(label);
  const text = label.trim().toLowerCase();
  if (text === "true") return 1;
  if (text === "false") return 0;
  return text === "" ? NaN : Number(text);
}
