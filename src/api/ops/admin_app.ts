import { Hono } from "hono";
import type { Metrics } from "../../telemetry/mod.ts";

/** What the admin port tells. */
export interface AdminAppOptions {
  readonly metrics: Metrics;
  /** Every isolate answered of late and every model is warm. */
  readonly ready: () => { ready: boolean; reasons: string[] };
  /** What is held and routed, for people. */
  readonly status: () => unknown;
}

/** The admin port: liveness, readiness, metrics and status, for probes, Prometheus and people. */
export function adminApp(options: AdminAppOptions): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => {
    const { ready, reasons } = options.ready();
    return c.json({ ready, reasons }, ready ? 200 : 503);
  });
  app.get(
    "/metrics",
    async (c) =>
      c.body(await options.metrics.text(), 200, { "content-type": options.metrics.contentType }),
  );
  app.get("/status", (c) => c.json(options.status() as Record<string, unknown>));
  app.notFound((c) =>
    c.json({ error: `No route ${c.req.path}: /livez, /readyz, /metrics, /status` }, 404)
  );
  return app;
}
