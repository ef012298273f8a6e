/** The programs of Debian's package `prometheus`. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/** The programs of Debian's package `prometheus-alertmanager`. */
export interface AlertmanagerPrograms {
  readonly alertmanager: string;
  readonly amtool: string;
  /** Where Alertmanager must be started; undefined for anywhere. */
  readonly cwd?: string;
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
  const isInstalled = await Deno.stat(TEMPLATES).then(() => true, () => false);
  return isInstalled ? { alertmanager, amtool } : await relocate(alertmanager, amtool);
}

/** Where Debian's Alertmanager reads its templates, whatever its configuration says. */
const TEMPLATES = "/usr/share/prometheus/alertmanager";

/**
 * A copy of an Alertmanager that was only unpacked, which looks for its templates in its working folder:
 * the folder's name in it is overwritten by one of the same length.
 */
async function relocate(
  alertmanager: string,
  amtool: string,
): Promise<AlertmanagerPrograms | { missing: string }> {
  const folder = alertmanager.replace(/\/usr\/bin\/[^/]+$/, TEMPLATES);
  const program = await Deno.readFile(alertmanager);
  const text = new TextDecoder("latin1").decode(program);
  const at = [...text.matchAll(new RegExp(`${TEMPLATES}(?!/)`, "g"))].map(({ index }) => index);
  if (at.length !== 1) return { missing: "Debian's prometheus-alertmanager must be installed" };
  program.set(new TextEncoder().encode("./".repeat(TEMPLATES.length / 2)), at[0]);
  const copy = `${folder}/alertmanager`;
  await Deno.writeFile(`${copy}.new`, program, { mode: 0o755 });
  await Deno.rename(`${copy}.new`, copy);
  return { alertmanager: copy, amtool, cwd: folder };
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
