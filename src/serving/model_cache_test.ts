import { LIMITS, SerinError } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { MlflowSource } from "./mlflow_source.ts";
import { ModelCache } from "./model_cache.ts";
import type { VersionSource } from "./version_source.ts";

const FILE = Uint8Array.of(1, 2, 3);

function sourceOf(identity: () => string, bytes: Uint8Array): VersionSource & { fetched: number } {
  return {
    fetched: 0,
    identify: () => new Promise((done) => done(identity())),
    fetchVersion() {
      this.fetched++;
      return Promise.resolve({ bytes });
    },
    fetchRun: () => Promise.reject(new Error("no runs here")),
  };
}

async function withCache(
  test: (cache: ModelCache, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(await ModelCache.open(folder), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bytesOf(cache: ModelCache, source: VersionSource): Promise<Uint8Array> {
  return (await cache.fetch(source, "m", "1")).bytes;
}

Deno.test("a version is fetched once, and again where its number names another one", async () => {
  await withCache(async (cache) => {
    const first = sourceOf(() => "made in May", FILE);
    for (let i = 0; i < 2; i++) assertEquals(await bytesOf(cache, first), FILE);
    assertEquals(first.fetched, 1);
    // Another registry, or the same one made anew: version 1 of "m" is another model.
    const anew = sourceOf(() => "made in June", Uint8Array.of(4));
    assertEquals(await bytesOf(cache, anew), Uint8Array.of(4));
    assertEquals(await bytesOf(cache, anew), Uint8Array.of(4));
    assertEquals(anew.fetched, 1);
  });
});

Deno.test("without its registry a version comes out of the cache, unless it is gone", async () => {
  await withCache(async (cache) => {
    await cache.fetch(sourceOf(() => "a", FILE), "m", "1");
    const failing = (code: "unavailable" | "not_found") =>
      sourceOf(() => {
        throw new SerinError(code, "no answer");
      }, Uint8Array.of(4));
    assertEquals(await bytesOf(cache, failing("unavailable")), FILE);
    await assertSerinError(() => cache.fetch(failing("unavailable"), "m", "2"), "unavailable", "");
    await assertSerinError(() => cache.fetch(failing("not_found"), "m", "1"), "not_found", "");
  });
});

Deno.test("a profile is kept beside its model; what an older serin cached gets its own", async () => {
  await withCache(async (cache, folder) => {
    const profile = Uint8Array.of(9), plain = sourceOf(() => "a", FILE);
    let fetched = 0;
    const source: VersionSource = {
      ...plain,
      fetchVersion: () => {
        fetched++;
        return Promise.resolve({ bytes: FILE, profile });
      },
    };
    const path = `${folder}/models/m/1.json`;
    for (let i = 0; i < 2; i++) {
      assertEquals(await cache.fetch(source, "m", "1"), { bytes: FILE, profile });
    }
    assertEquals(fetched, 1);
    const { sha256, identity } = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ sha256, identity }));
    const offline: VersionSource = {
      ...plain,
      fetchVersion: () => Promise.reject(new SerinError("unavailable", "no answer")),
    };
    // Its registry answers, and breaks off: it is served as it is, and looked for again later.
    assertEquals(await cache.fetch(offline, "m", "1"), { bytes: FILE, profile: undefined });
    assertEquals(await cache.fetch(source, "m", "1"), { bytes: FILE, profile });
    assertEquals(fetched, 2);
    // One without a profile is not fetched for it each time.
    const none = sourceOf(() => "a", FILE);
    for (let i = 0; i < 2; i++) await cache.fetch(none, "m", "2");
    assertEquals(none.fetched, 1);
  });
});

Deno.test("a download that breaks off or falls silent may come later: it is unavailable", async () => {
  const endings: ((controller: ReadableStreamDefaultController) => unknown)[] = [
    (controller) => controller.error(new TypeError("error reading a body from connection")),
    () => new Promise(() => {}),
  ];
  for (const ending of endings) {
    const chunks = [FILE];
    const body = new ReadableStream({
      pull: (controller) => {
        const chunk = chunks.shift();
        return chunk === undefined ? ending(controller) as void : controller.enqueue(chunk);
      },
    });
    const client = {
      versions: {
        get: () => Promise.resolve({ tags: [] }),
        getDownloadUri: () => Promise.resolve("mlflow-artifacts:/1"),
      },
      artifacts: {
        list: () => Promise.resolve([{ path: "model.onnx", isFolder: false }]),
        download: () => Promise.resolve(body),
      },
    } as unknown as MlflowClient;
    const source = new MlflowSource(client, 20);
    await assertSerinError(() => source.fetchVersion("m", "1"), "unavailable", "did not arrive");
  }
});

Deno.test("a profile that is listed and not there, or too large, keeps no version from being served", async () => {
  const streamOf = (bytes: Uint8Array) => new Blob([bytes.slice()]).stream();
  const large = new Uint8Array(LIMITS.profileBytesMax + 1);
  const profiles: [() => Promise<ReadableStream>, code: "unavailable" | undefined][] = [
    [() => Promise.reject(new SerinError("not_found", "No such artifact")), undefined],
    [() => Promise.resolve(streamOf(large)), undefined],
    [() => Promise.reject(new SerinError("unavailable", "no answer")), "unavailable"],
  ];
  for (const [download, code] of profiles) {
    const client = {
      versions: {
        get: () => Promise.resolve({ tags: [] }),
        getDownloadUri: () => Promise.resolve("mlflow-artifacts:/1"),
      },
      artifacts: {
        list: () =>
          Promise.resolve(
            ["model.onnx", "profile.json"].map((path) => ({ path, isFolder: false })),
          ),
        download: (_: string, path: string) =>
          path === "model.onnx" ? Promise.resolve(streamOf(FILE)) : download(),
      },
    } as unknown as MlflowClient;
    const fetched = () => new MlflowSource(client).fetchVersion("m", "1");
    if (code === undefined) assertEquals(await fetched(), { bytes: FILE, profile: undefined });
    else await assertSerinError(fetched, code, "no answer");
  }
});
