import { Hono } from "hono";
import type { Metrics } from "../../telemetry/mod.ts";

/** What the controller's port tells. */
export interface ControllerAppOptions {
  readonly metrics: Metrics;
  /** Whether its loop still turns; false: the process should be started anew. */
  readonly alive: () => boolean;
  /** Whether it can do what it is for; reasons may also stand beside a yes. */
  readonly ready: () => { ready: boolean; reasons: string[] };
}

/** The controller's port: liveness, readiness and metrics; nothing can be changed through it. */
export function controllerApp(options: ControllerAppOptions): Hono {
  const app = new Hono();
  app.get("/livez", (c) => options.alive() ? c.text("ok\n") : c.text("the loop hangs\n", 503));
  app.get("/readyz", (c) => {
    const { ready, reasons } = options.ready();
    return c.json({ ready, reasons }, ready ? 200 : 503);
  });
  app.get(
    "/metrics",
    async (c) =>
      c.body(await options.metrics.text(), 200, { "content-type": options.metrics.contentType }),
  );
  app.notFound((c) => c.json({ error: `No route ${c.req.path}: /livez, /readyz, /metrics` }, 404));
  return app;
}
