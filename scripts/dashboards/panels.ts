/**
 * Panels of serin's dashboards: Grafana's own builders with serin's habits (a data source variable, a
 * legend table, units, a description on each). This file alone names their package.
 */
// deno-lint-ignore-file no-import-prefix
import * as bargauge from "npm:@grafana/grafana-foundation-sdk@0.0.21/bargauge";
import * as common from "npm:@grafana/grafana-foundation-sdk@0.0.21/common";
import * as dashboard from "npm:@grafana/grafana-foundation-sdk@0.0.21/dashboard";
import * as prometheus from "npm:@grafana/grafana-foundation-sdk@0.0.21/prometheus";
import * as stat from "npm:@grafana/grafana-foundation-sdk@0.0.21/stat";
import * as timeseries from "npm:@grafana/grafana-foundation-sdk@0.0.21/timeseries";

export { dashboard };

const SOURCE = { type: "prometheus", uid: "${datasource}" };

/** Matches the chosen namespaces and models. */
export const CHOSEN = 'namespace=~"$namespace",model=~"$model"';
/** Of metrics without a model. */
export const CHOSEN_PLACE = 'namespace=~"$namespace"';

/** A line of a panel. */
export interface Query {
  readonly expr: string;
  /** E.g. `{{model}} v{{model_version}}`. */
  readonly legend: string;
}

/** From where on a value is bad: `[[0.1, "orange"], [0.25, "red"]]`. */
export type Limits = readonly (readonly [number, "green" | "orange" | "red"])[];

/** What every panel has. */
export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  /** Grafana's name of the unit: `s`, `percentunit`, `reqps`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of 24, and rows of 30 pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  /** Where the axis ends as long as all values are smaller; default that of a part, 1 %. */
  readonly softMax?: number;
  readonly limits?: Limits;
  /** Text for numbers, e.g. `{0: "no", 1: "yes"}`. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** How lines are drawn. */
export interface LineOptions {
  readonly logarithmic?: boolean;
  readonly stacked?: boolean;
  readonly steps?: boolean;
  /** Many lines: over the whole width, with a table of their values beside them. */
  readonly many?: boolean;
}

/** Lines over time, with their newest value in the legend. */
export function lines(options: PanelOptions & LineOptions): timeseries.PanelBuilder {
  const legend = new common.VizLegendOptionsBuilder().showLegend(true)
    .displayMode(options.many ? common.LegendDisplayMode.Table : common.LegendDisplayMode.List)
    .placement(options.many ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
    .calcs(options.many ? ["lastNotNull", "max"] : ["lastNotNull"]);
  const tooltip = new common.VizTooltipOptionsBuilder()
    .mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending);
  const panel = withParts(new timeseries.PanelBuilder(), {
    width: options.many ? 24 : 12,
    height: 9,
    ...options,
  });
  panel.legend(legend).tooltip(tooltip).lineWidth(2).showPoints(common.VisibilityMode.Never)
    .fillOpacity(options.stacked ? 40 : options.many ? 0 : 8).spanNulls(false);
  const softMax = options.softMax ?? (options.unit === "percentunit" ? 0.01 : undefined);
  if (softMax !== undefined && options.max === undefined) panel.axisSoftMax(softMax);
  if (options.limits !== undefined) {
    panel.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Line),
    );
  }
  if (options.logarithmic) {
    panel.scaleDistribution(
      new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
    );
  }
  if (options.stacked) {
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  }
  if (options.steps) panel.lineInterpolation(common.LineInterpolation.StepAfter);
  return panel;
}

/** One number now, coloured by its limits. */
export function number(options: PanelOptions): stat.PanelBuilder {
  return withParts(new stat.PanelBuilder(), { width: 4, height: 4, ...options }, true)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .graphMode(common.BigValueGraphMode.None).colorMode(common.BigValueColorMode.Value)
    .textMode(common.BigValueTextMode.Auto);
}

/** A bar a series, now. */
export function bars(options: PanelOptions): bargauge.PanelBuilder {
  return withParts(new bargauge.PanelBuilder(), { width: 12, height: 9, ...options }, true)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .orientation(common.VizOrientation.Horizontal)
    .namePlacement(common.BarGaugeNamePlacement.Top).valueMode(common.BarGaugeValueMode.Color)
    .sizing(common.BarGaugeSizing.Manual).minVizHeight(24).maxVizHeight(40)
    .text(new common.VizTextDisplayOptionsBuilder().titleSize(14).valueSize(20))
    .displayMode(common.BarGaugeDisplayMode.Gradient);
}

type AnyPanel =
  | timeseries.PanelBuilder
  | stat.PanelBuilder
  | bargauge.PanelBuilder;

function withParts<B extends AnyPanel>(
  panel: B,
  options: PanelOptions & { width: number; height: number },
  isNow = false,
): B {
  const { queries, limits, texts } = options;
  panel.title(options.title).description(options.description).datasource(SOURCE)
    .unit(options.unit).span(options.width).height(options.height);
  queries.forEach((query, i) => panel.withTarget(target(query, i, isNow)));
  if (options.min !== undefined) panel.min(options.min);
  if (options.max !== undefined) panel.max(options.max);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  const steps = [{ value: null as unknown as number, color: "green" }];
  for (const [value, color] of limits ?? []) steps.push({ value, color });
  panel.thresholds(
    new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps),
  );
  if (texts !== undefined) {
    const options = Object.fromEntries(
      Object.entries(texts).map(([value, text], index) => [value, { text, index }]),
    );
    panel.mappings([{ type: dashboard.MappingType.ValueToText, options }]);
  }
  return panel;
}

function target(query: Query, index: number, isNow: boolean) {
  const builder = new prometheus.DataqueryBuilder().expr(query.expr).datasource(SOURCE)
    .legendFormat(query.legend).refId(String.fromCharCode("A".charCodeAt(0) + index));
  return isNow ? builder.instant() : builder.range();
}

/** A dashboard with serin's variables. */
export function makeDashboard(options: {
  name: string;
  title: string;
  description: string;
  /** The metric whose label `model` is offered; undefined: no such choice. */
  modelsOf?: string;
  rows: readonly (readonly [title: string, panels: readonly AnyPanel[]])[];
}): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(`serin: ${options.title}`)
    .uid(`serin-${options.name}`).description(options.description).tags(["serin"]).readonly()
    .time({ from: "now-1h", to: "now" }).refresh("30s").timezone("browser")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder("serin").type(dashboard.DashboardLinkType.Dashboards)
        .tags(["serin"]).asDropdown(false).keepTime(true).includeVars(true),
    )
    .withVariable(
      new dashboard.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
    )
    .withVariable(labelVariable("namespace", "Namespace", "serin_build_info"));
  if (options.modelsOf !== undefined) {
    builder.withVariable(labelVariable("model", "Model", options.modelsOf));
  }
  for (const [title, panels] of options.rows) {
    builder.withRow(new dashboard.RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return withoutDefaults(builder.build());
}

/** `.*` for all: a Prometheus without the operator has no namespaces. */
function labelVariable(name: string, label: string, metric: string) {
  return new dashboard.QueryVariableBuilder(name).label(label).datasource(SOURCE)
    .query({ query: `label_values(${metric}, ${name})`, refId: "A" })
    .multi(true).includeAll(true).allValue(".*").refresh(
      dashboard.VariableRefresh.OnTimeRangeChanged,
    )
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .current({ text: "All", value: "$__all", selected: true });
}

/** The builders write what is of interval variables only on every variable, and give rows the id 0. */
function withoutDefaults(built: dashboard.Dashboard): dashboard.Dashboard {
  const plain = JSON.parse(JSON.stringify(built));
  for (const variable of plain.templating?.list ?? []) {
    for (const key of ["auto", "auto_min", "auto_count"]) delete variable[key];
  }
  plain.panels.forEach((panel: { id?: number }, i: number) => panel.id = i + 1);
  return plain;
}
