/**
 * Lets {@linkcode serinCommand} start the compiled executable of the clone, unless `SERIN_BIN` names
 * another: benchmarks and soaks are of what ships.
 */
export function useCompiledSerin(): void {
  if (Deno.env.get("SERIN_BIN")) return;
  const path = decodeURIComponent(new URL("../../serin", import.meta.url).pathname);
  Deno.env.set("SERIN_BIN", path);
}
