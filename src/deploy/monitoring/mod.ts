/** Alerts of an installation as typed code: Prometheus' rules, their tests, Alertmanager's routes. */
export { alertGroups } from "./alert_groups.ts";
export { alertmanagerConfig, type Receivers, type RouteTimes } from "./alertmanager_config.ts";
export { type DashboardFile, dashboardFiles } from "./dashboard_files.ts";
export { type RuleFile, ruleFile } from "./rule_file.ts";
export { type AlertSettings, RULE_TIMES, type RuleTimes } from "./rule_options.ts";
export type { Alert, AlertGroup } from "./rule_shape.ts";
export { type RuleTestFile, ruleTestFile } from "./rule_test_file.ts";
export {
  kubernetesScrapeConfig,
  type KubernetesScraping,
  scrapeConfig,
  SCRAPED_PORTS,
} from "./scrape_config.ts";
