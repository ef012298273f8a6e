/**
 * Copies the two files of onnxruntime-web that serin needs out of its package (142 MB) into
 * `src/inference/vendor/`, so that `deno compile` embeds those alone:
 *
 *     scripts/deno task vendor
 *
 * Their SHA-256 are pinned here; a package that was changed is refused. The Wasm file is named
 * `.bin`, because `--include x.wasm` is taken for a module and fails.
 */
import { createHash } from "node:crypto";
// Fetches the package into Deno's cache; scripts/vendor.lock holds its integrity. A lock of its own:
// what stands in deno.lock, `deno compile` would embed.
// deno-lint-ignore no-import-prefix
import "npm:onnxruntime-web@1.30.0/wasm";

const FILES = [
  {
    from: "npm:onnxruntime-web@1.30.0/wasm",
    to: "ort.mjs",
    sha256: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
  },
  {
    from: "npm:onnxruntime-web@1.30.0/ort-wasm-simd-threaded.wasm",
    to: "ort.wasm.bin",
    sha256: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
  },
];

const folder = new URL("../src/inference/vendor/", import.meta.url);
await Deno.mkdir(folder, { recursive: true });
for (const { from, to, sha256 } of FILES) {
  const target = new URL(to, folder);
  if (digest(await Deno.readFile(target).catch(() => new Uint8Array())) === sha256) continue;
  const bytes = await Deno.readFile(new URL(import.meta.resolve(from)));
  const seen = digest(bytes);
  if (seen !== sha256) throw new Error(`${from} has the SHA-256 ${seen}, pinned is ${sha256}`);
  await Deno.writeFile(target, bytes);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
