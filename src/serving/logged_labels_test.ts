import { SystemRandom } from "../core/mod.ts";
import { createTokenSealer, readTokenNonce } from "../rollout/router/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { openToken } from "../rollout/token.ts";
import { labelsToLog } from "./logged_labels.ts";

const sealer = createTokenSealer(
  [{ id: "a-key", key: btoa("0123456789abcdef0123456789abcdef") }],
  new SystemRandom(),
);

function seal(): string {
  return sealer.seal({
    model: "m",
    version: "1",
    rollout: undefined,
    step: 0,
    arm: "stable",
    time: Date.now(),
    keyHash: undefined,
    rows: 1,
    predictions: [{ label: 1 }],
  })!;
}

Deno.test("labels that the registry refused are not logged, those without a prediction are", () => {
  const labels = [1, 0, 1, 1].map((label) => ({ prediction: seal(), row: 0, label }));
  labels[3].prediction = "none of ours";
  const refusal = (index: number, code: "already_labelled" | "no_prediction") => ({
    index,
    code,
    message: "",
  });
  const refused = [refusal(1, "already_labelled"), refusal(2, "no_prediction")];
  const logged = labelsToLog({ labels }, { accepted: 2, refused });
  assertEquals([...logged.map(({ nonce }) => nonce.toHex())], [
    readTokenNonce(labels[0].prediction)!.toHex(),
    readTokenNonce(labels[2].prediction)!.toHex(),
  ]);
});

Deno.test("each token's nonce is its own, and what is no token has none", () => {
  const nonces = new Set(Array.from({ length: 100 }, () => readTokenNonce(seal())!.toHex()));
  assertEquals(nonces.size, 100);
  for (const text of ["", "AQ", "AQUB", "%%%%", "x".repeat(5000)]) {
    assertTrue(readTokenNonce(text) === undefined, text.slice(0, 10));
  }
});

Deno.test("the nonce that is read is the one that the registry finds in the token", () => {
  for (const id of ["", "a", "ab", "abc", "a-longer-key-of-thirty-two-bytes"]) {
    const key = { id, key: btoa("0123456789abcdef0123456789abcdef") };
    const text = createTokenSealer([key], new SystemRandom()).seal({
      ...{ model: "m", version: "1", rollout: undefined, step: 0, arm: "stable", time: 1 },
      ...{ keyHash: undefined, rows: 1, predictions: undefined },
    })!;
    const token = openToken(text, () => new TextEncoder().encode(atob(key.key)));
    assertTrue(typeof token !== "string", "it opens");
    assertEquals(readTokenNonce(text)!.toHex(), token.nonce);
  }
});
