/** What `deno compile` wrote before the metadata of the program. */
const MAGIC = "d3n0l4nd";
const HEAD_BYTES_MAX = 4096;

/**
 * @returns the permissions that a compiled executable has, as its own metadata says
 * @throws where the file is no executable that Deno compiled
 */
export async function compiledPermissions(path: string): Promise<Record<string, unknown>> {
  const bytes = await Deno.readFile(path);
  const text = new TextDecoder("latin1");
  // The runtime's code has the magic too: the metadata is where JSON follows the length.
  const needle = new TextEncoder().encode(MAGIC);
  for (let at = 0; (at = indexOf(bytes, needle, at)) >= 0; at += needle.length) {
    const start = at + needle.length + 8;
    const head = text.decode(bytes.subarray(start, start + HEAD_BYTES_MAX));
    const match = /^\{"argv".*?"permissions":(\{.*?\})/.exec(head);
    if (match !== null) return JSON.parse(match[1]);
  }
  throw new Error(`${path} holds no program that Deno compiled`);
}

function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(needle[0], from); at >= 0; at = bytes.indexOf(needle[0], at + 1)) {
    if (needle.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
