/**
 * Draws a dashboard's JSON with Grafana's own components (@grafana/ui, @grafana/data: units, thresholds,
 * legends, grid) from a Prometheus. It is not Grafana: variables choose everything; there are no
 * transformations, overrides and tables.
 */
// deno-lint-ignore-file no-explicit-any -- the JSON of dashboards and what components take
import React from "react";
import { createRoot } from "react-dom/client";
import * as grafana from "@grafana/ui";
import * as data from "@grafana/data";

const { prometheus, dashboard, from } = (window as any).GIVEN;
const theme = data.createTheme({ colors: { mode: "dark" } });
const [WIDTH, CELL, COLUMNS] = [1440, 30, 24];
const STEP_SECONDS = 2, RATE_SECONDS = 20;
const to = Date.now();

async function api(
  path: string,
  parameters: Record<string, string>,
): Promise<any> {
  const answer = await fetch(
    `${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`,
  );
  const body = await answer.json();
  if (body.status !== "success") throw new Error(body.error);
  return body.data;
}

/** Variables choose everything. */
function fillIn(expr: string): string {
  return expr.replaceAll("$__rate_interval", `${RATE_SECONDS}s`)
    .replaceAll("$__range", `${Math.ceil((to - from) / 1000)}s`)
    .replaceAll(/\$\{?(\w+)\}?/g, ".*");
}

function legendOf(format: string, metric: Record<string, string>): string {
  return format.replaceAll(
    /\{\{\s*(\w+)\s*\}\}/g,
    (_, label) => metric[label] ?? "",
  );
}

async function framesOf(target: any): Promise<data.DataFrame[]> {
  const query = fillIn(target.expr);
  const times = {
    start: String(from / 1000),
    end: String(to / 1000),
    step: String(STEP_SECONDS),
  };
  const { result } = target.instant
    ? await api("query", { query, time: String(to / 1000) })
    : await api("query_range", { query, ...times });
  return result.map(({ metric, values, value }: any) => {
    const points = values ?? [value];
    const name = legendOf(target.legendFormat, metric);
    return data.toDataFrame({
      refId: target.refId,
      name,
      fields: [
        {
          name: "Time",
          type: data.FieldType.time,
          values: points.map(([seconds]: any) => seconds * 1000),
        },
        {
          name: "Value",
          type: data.FieldType.number,
          config: { displayNameFromDS: name },
          // As the data source does.
          values: points.map(([, text]: any) => text === "NaN" ? null : Number(text)),
        },
      ],
    });
  });
}

/** Puts units, limits and colours on the fields, as a panel does. */
function styled(panel: any, frames: data.DataFrame[]): data.DataFrame[] {
  const { defaults = {} } = panel.fieldConfig ?? {};
  let index = 0;
  for (const frame of frames) {
    for (const field of frame.fields) {
      const mode = panel.type === "timeseries" ? "palette-classic" : "thresholds";
      const isNumber = field.type === data.FieldType.number;
      const config = isNumber ? { ...defaults } : { custom: defaults.custom };
      field.config = { ...field.config, color: { mode }, ...config };
      if (isNumber) field.state = { ...field.state, seriesIndex: index++ };
      field.display = data.getDisplayProcessor({
        field,
        theme,
        timeZone: "utc",
      });
    }
  }
  return frames;
}

function Panel({ panel, frames, width, height }: any) {
  if (frames.length === 0 || frames.every((frame: any) => frame.length === 0)) {
    return <div style={{ textAlign: "center", paddingTop: height / 3 }}>No data</div>;
  }
  const timeRange: any = {
    from: data.dateTime(from),
    to: data.dateTime(to),
    raw: { from: "now-1h", to: "now" },
  };
  const sizes = { width, height, timeRange };
  if (panel.type === "timeseries") {
    const { TimeSeries } = grafana as any;
    return (
      <TimeSeries
        {...sizes}
        frames={frames}
        structureRev={1}
        timeZone="utc"
        legend={panel.options.legend}
        options={panel.options}
        replaceVariables={(text: string) => text}
        theme={theme}
      />
    );
  }
  return (
    <Numbers
      panel={panel}
      frames={frames}
      width={width}
      height={height}
    />
  );
}

function Numbers({ panel, frames, width, height }: any) {
  const values: any[] = data.getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text: string) => text,
    theme,
    data: frames,
    timeZone: "utc",
  } as any);
  const { BarGauge, BigValue } = grafana as any;
  if (panel.type === "bargauge") {
    const each = Math.min(panel.options.maxVizHeight + 32, height / values.length);
    return values.map((value, i) => (
      <BarGauge
        key={i}
        value={value.display}
        field={value.field}
        display={value.view?.getFieldDisplayProcessor?.(value.colIndex)}
        width={width}
        height={each - 8}
        theme={theme}
        orientation="horizontal"
        displayMode={panel.options.displayMode}
        valueDisplayMode={panel.options.valueMode}
        namePlacement={panel.options.namePlacement}
        text={panel.options.text}
        itemSpacing={8}
        lcdCellWidth={8}
      />
    ));
  }
  return (
    <div style={{ display: "flex" }}>
      {values.map((value, i) => (
        <BigValue
          key={i}
          width={width / values.length}
          height={height}
          value={{ ...value.display, title: undefined }}
          theme={theme}
          colorMode="value"
          graphMode="none"
          justifyMode="auto"
          textMode="value"
        />
      ))}
    </div>
  );
}

class Boundary extends React.Component<any, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    const { error } = this.state;
    return error === undefined ? this.props.children : <pre>undefined: {String(error.stack)}</pre>;
  }
}

function Placed({ panel, children, height = panel.gridPos.h * CELL - 8 }: any) {
  const { x, y } = panel.gridPos;
  const style: any = {
    position: "absolute",
    left: x * WIDTH / COLUMNS,
    top: y * CELL,
    height,
  };
  return <div data-panel={panel.title} style={style}>{children}</div>;
}

function Page(
  { drawn }: {
    drawn: { panel: any; frames: data.DataFrame[]; error?: string }[];
  },
) {
  const { panels } = dashboard;
  const height = CELL *
    Math.max(...panels.map(({ gridPos: { y, h } }: any) => y + h));
  const colours = {
    background: theme.colors.background.canvas,
    color: theme.colors.text.primary,
  };
  return (
    <div
      style={{
        position: "relative",
        width: WIDTH,
        height,
        fontSize: 14,
        ...colours,
      }}
    >
      {panels.filter(({ type }: any) => type === "row").map((panel: any) => (
        <Placed key={panel.id} panel={panel}>
          <div style={{ padding: "4px 8px", fontSize: 16, fontWeight: 500 }}>
            ⌄ {panel.title}
          </div>
        </Placed>
      ))}
      {drawn.map(({ panel, frames, error }) => (
        <Placed key={panel.id} panel={panel}>
          <grafana.PanelChrome
            title={panel.title}
            description={panel.description}
            width={panel.gridPos.w * WIDTH / COLUMNS - 8}
            height={panel.gridPos.h * CELL - 8}
            loadingState={data.LoadingState.Done}
            statusMessage={error}
          >
            {(width: number, height: number) => (
              <Boundary>
                <Panel
                  panel={panel}
                  frames={frames}
                  width={width}
                  height={height}
                />
              </Boundary>
            )}
          </grafana.PanelChrome>
        </Placed>
      ))}
    </div>
  );
}

async function main(): Promise<void> {
  const shown = dashboard.panels.filter(({ type }: any) => type !== "row");
  const drawn = await Promise.all(shown.map(async (panel: any) => {
    try {
      const each = await Promise.all(
        panel.targets.map((one: any) => framesOf(one)),
      );
      return { panel, frames: styled(panel, each.flat()) };
    } catch (thrown) {
      return { panel, frames: [], error: String(thrown) };
    }
  }));
  const context: any = {
    eventsScope: "serin",
    eventBus: new data.EventBusSrv(),
  };
  createRoot(document.getElementById("root")!).render(
    <data.ThemeContext.Provider value={theme}>
      <grafana.PanelContextProvider value={context}>
        <grafana.GlobalStyles />
        <Page drawn={drawn} />
      </grafana.PanelContextProvider>
    </data.ThemeContext.Provider>,
  );
  // Canvases draw in the frames after; nothing tells when the last one has.
  setTimeout(() => document.title = "drawn", 3000);
}

main().catch((thrown) => {
  document.body.innerText = String(thrown.stack);
  document.title = "failed";
});
