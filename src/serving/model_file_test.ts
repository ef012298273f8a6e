import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { readModelPath } from "./model_file.ts";

Deno.test("a model folder may hold its file as a link, as mounted volumes do", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/..data`);
    await Deno.writeFile(`${folder}/..data/model.onnx`, Uint8Array.of(1, 2));
    await Deno.symlink("..data/model.onnx", `${folder}/model.onnx`);
    assertEquals(await readModelPath(folder), Uint8Array.of(1, 2));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what cannot be read is told with its path, not as a defect", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink("gone.onnx", `${folder}/model.onnx`);
    await assertSerinError(() => readModelPath(folder), "storage", folder, "may read");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
