/** Dashboards of `dashboards/`, in the order in which they are shown. */
const NAMES = ["service", "quality", "rollout", "registry"] as const;

/** A dashboard of Grafana, as it is committed. */
export interface DashboardFile {
  readonly name: typeof NAMES[number];
  /** JSON. */
  readonly text: string;
}

/** @returns the dashboards, which are embedded in the executable */
export function dashboardFiles(): DashboardFile[] {
  return NAMES.map((name) => {
    const url = new URL(`../../../dashboards/${name}.json`, import.meta.url);
    return { name, text: Deno.readTextFileSync(url) };
  });
}
