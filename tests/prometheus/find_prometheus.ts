/** The programs of Debian's package `prometheus`. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/** The programs of Debian's package `prometheus-alertmanager`. */
export interface AlertmanagerPrograms {
  readonly alertmanager: string;
  readonly amtool: string;
}

/**
 * Looks in PATH, then unpacks Debian's package into the clone.
 *
 * @returns the programs, or why there are none
 */
export async function findPrometheus(): Promise<PrometheusPrograms | { missing: string }> {
  const found = await findPrograms("prometheus", ["prometheus", "promtool"]);
  if ("missing" in found) return found;
  const [prometheus, promtool] = found.programs;
  return { prometheus, promtool };
}

/** As {@linkcode findPrometheus}. */
export async function findAlertmanager(): Promise<AlertmanagerPrograms | { missing: string }> {
  const names = ["prometheus-alertmanager", "amtool"];
  const found = await findPrograms("prometheus-alertmanager", names);
  if ("missing" in found) return found;
  const [alertmanager, amtool] = found.programs;
  return { alertmanager, amtool };
}

async function findPrograms(
  debianPackage: string,
  names: readonly string[],
): Promise<{ programs: string[] } | { missing: string }> {
  if (await allRun(names)) return { programs: [...names] };
  const script = new URL("../../scripts/lib/debian.sh", import.meta.url);
  try {
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: [decodeURIComponent(script.pathname), debianPackage],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (!success) return { missing: text(stderr).split("\n").at(-1)! };
    const programs = names.map((name) => `${text(stdout)}/usr/bin/${name}`);
    return await allRun(programs)
      ? { programs }
      : { missing: `Debian's ${debianPackage} does not run here` };
  } catch (thrown) {
    return { missing: `no ${debianPackage} in PATH and no bash: ${thrown}` };
  }
}

async function allRun(programs: readonly string[]): Promise<boolean> {
  for (const program of programs) if (!await runs(program)) return false;
  return true;
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
