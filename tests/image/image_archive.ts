/** What is inside an image archive: read with tar, so that another program than its maker looks. */
import { sha256Hex } from "../../src/core/mod.ts";

/** An entry of a layer. */
export interface LayerEntry {
  /** As `ls -l` shows it: `drwxr-xr-x`. */
  readonly mode: string;
  /** `uid/gid` */
  readonly owner: string;
  readonly name: string;
}

/** An image archive, taken apart. */
export interface ImageArchive {
  /** The image id, in hexadecimal. */
  readonly id: string;
  readonly tags: readonly string[];
  // deno-lint-ignore no-explicit-any -- the image's config as JSON
  readonly config: any;
  /** Digests of the compressed layers. */
  readonly layers: readonly string[];
  /** Reads the entries of a layer. */
  entries(layer: string): Promise<LayerEntry[]>;
}

/**
 * Reads an archive and checks that each blob is what its name says.
 *
 * @param path the archive
 */
export async function readImageArchive(path: string): Promise<ImageArchive> {
  const names = decode(await run("tar", ["-tf", path])).trim().split("\n");
  for (const name of names.filter((each) => each.startsWith("blobs/"))) {
    const seen = sha256Hex(await run("tar", ["-xOf", path, name]));
    if (name !== `blobs/sha256/${seen}`) throw new Error(`${name} has the digest ${seen}`);
  }
  const json = async (name: string) => JSON.parse(decode(await run("tar", ["-xOf", path, name])));
  const [legacy] = await json("manifest.json");
  const index = await json("index.json");
  const digestOf = (text: string) => text.replace("sha256:", "");
  const manifest = await json(`blobs/sha256/${digestOf(index.manifests[0].digest)}`);
  const layers = manifest.layers.map(({ digest }: { digest: string }) => digestOf(digest));
  if (legacy.Layers.join() !== layers.map((each: string) => `blobs/sha256/${each}`).join()) {
    throw new Error("manifest.json and the OCI manifest name different layers");
  }
  const id = digestOf(manifest.config.digest);
  return {
    id,
    tags: legacy.RepoTags,
    config: await json(`blobs/sha256/${id}`),
    layers,
    entries: async (layer) => {
      const bytes = await run("tar", ["-xOf", path, `blobs/sha256/${layer}`]);
      const listing = await run("tar", ["--numeric-owner", "-tzvf", "-"], bytes);
      return decode(listing).trim().split("\n").map((line) => {
        const [mode, owner, , , , name] = line.split(/\s+/);
        return { mode, owner, name: name.replace(/\/$/, "") };
      });
    },
  };
}

/** Runs a program to its end and returns its output. */
async function run(command: string, args: string[], input?: Uint8Array): Promise<Uint8Array> {
  const child = new Deno.Command(command, {
    args,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = input === undefined ? undefined : new Blob([input as BlobPart]).stream().pipeTo(
    child.stdin,
  );
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), fed]);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${decode(stderr)}`);
  return stdout;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
