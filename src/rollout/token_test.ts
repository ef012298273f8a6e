import { LIMITS, SystemRandom } from "../core/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { createTokenSealer, isWrong, openToken, type TokenContent } from "./token.ts";
import { TokenKeyring } from "./token_keys.ts";

const NOW = Date.UTC(2026, 5, 1);
const ring = new TokenKeyring(new Uint8Array(32).fill(7));
const sealer = createTokenSealer(ring.current(NOW), new SystemRandom());
const open = (text: string, now = NOW) => openToken(text, (id) => ring.find(id, now));

const content: TokenContent = {
  model: "electricity",
  version: "12",
  rollout: "r1a2b3c4d5e6f708",
  step: 2,
  arm: "canary",
  time: NOW,
  keyHash: 0xdeadbeef,
  rows: 2,
  predictions: [{ label: 1, probability: 0.75 }, { label: -3, probability: 0.5 }],
};

Deno.test("what is sealed comes out again", () => {
  const token = open(sealer.seal(content)!);
  assertTrue(typeof token !== "string", "it opens");
  const { keyId: _, nonce, ...rest } = token;
  assertEquals(rest, content);
  assertTrue(/^[0-9a-f]{16}$/.test(nonce), nonce);
  const texts = {
    ...content,
    rollout: undefined,
    keyHash: undefined,
    predictions: [{ label: "up" }, { label: "düwn" }],
  };
  const opened = open(sealer.seal(texts)!);
  assertTrue(typeof opened !== "string", "it opens");
  assertEquals(opened.predictions, texts.predictions);
});

Deno.test("a token stays within its length: probabilities go first, then predictions", () => {
  const rows = (n: number) => ({
    ...content,
    rows: n,
    predictions: Array.from({ length: n }, () => ({ label: 1, probability: 0.5 })),
  });
  for (const n of [1, 50, 60, 100, 250, 400, 100_000]) {
    const sealed = sealer.seal(rows(n))!, token = open(sealed);
    assertTrue(sealed.length <= LIMITS.tokenCharactersMax, `${n} rows: ${sealed.length}`);
    assertTrue(typeof token !== "string" && token.rows === n, "row count is kept");
    if (n === 50) assertEquals(token.predictions?.[49].probability, 0.5);
    if (n === 250) assertEquals(token.predictions?.length, 250);
    if (n >= 400) assertEquals(token.predictions, undefined);
  }
  assertEquals(sealer.seal({ ...content, model: "ü".repeat(255) }), undefined);
});

Deno.test("regression outputs are no classes: no predictions", () => {
  const token = open(sealer.seal({ ...content, rows: 1, predictions: [{ label: 1.5 }] })!);
  assertTrue(typeof token !== "string" && token.predictions === undefined, "left out");
});

Deno.test("changed, foreign and outdated tokens do not open", () => {
  const sealed = sealer.seal(content)!;
  for (let i = 0; i < sealed.length; i += 7) {
    const changed = sealed.slice(0, i) + (sealed[i] === "A" ? "B" : "A") + sealed.slice(i + 1);
    assertEquals(typeof open(changed), "string");
  }
  for (const junk of ["", "x", "AQAA", "!!!!", "A".repeat(512)]) {
    assertEquals(open(junk), "invalid_token");
  }
  assertEquals(open(sealed, NOW + 60 * 24 * 3600 * 1000), "unknown_key");
  assertTrue(
    typeof open(sealed, NOW + 29 * 24 * 3600 * 1000) !== "string",
    "opens for the horizon",
  );
});

Deno.test("labels compare by value for numbers, by text for names", () => {
  for (const same of [1, 1.0, "1", "1.0", true, "true", " TRUE "]) {
    assertEquals(isWrong(1, same), false);
  }
  for (const other of [0, "0", false, "", "up", 2]) assertEquals(isWrong(1, other), true);
  assertEquals(isWrong("up", "up"), false);
  assertEquals(isWrong("1", 1), false);
  assertEquals(isWrong("up", "UP"), true);
});

Deno.test("sealing is cheap", () => {
  for (let i = 0; i < 2000; i++) sealer.seal(content);
  const started = performance.now();
  for (let i = 0; i < 5000; i++) sealer.seal(content);
  const microseconds = (performance.now() - started) / 5;
  assertTrue(microseconds < 100, `sealing took ${microseconds} µs`);
});
