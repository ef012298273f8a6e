/** The programs of Debian's package `prometheus`. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * Looks in PATH, then unpacks Debian's package into the clone.
 *
 * @returns the programs, or why there are none
 */
export async function findPrometheus(): Promise<PrometheusPrograms | { missing: string }> {
  if (await runs("prometheus") && await runs("promtool")) {
    return { prometheus: "prometheus", promtool: "promtool" };
  }
  const script = new URL("../../scripts/lib/debian.sh", import.meta.url);
  try {
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: [decodeURIComponent(script.pathname), "prometheus"],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (!success) return { missing: text(stderr).split("\n").at(-1)! };
    const folder = `${text(stdout)}/usr/bin`;
    const programs = { prometheus: `${folder}/prometheus`, promtool: `${folder}/promtool` };
    return await runs(programs.promtool)
      ? programs
      : { missing: "Debian's prometheus does not run here" };
  } catch (thrown) {
    return { missing: `no prometheus in PATH and no bash: ${thrown}` };
  }
}

async function runs(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
