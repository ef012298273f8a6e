import type { Hono } from "hono";
import { type Log, messageOf } from "../../core/mod.ts";

/**
 * Adds `/livez` (this process answers) and `/readyz` (what it stands on answers too, else 503).
 *
 * @param check throws while it does not; why is in the log, not in the answer, which anybody reads
 */
export function addProbeRoutes(app: Hono, check: () => void, log: Log): void {
  app.get("/livez", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    try {
      check();
      return context.json({ ready: true, reasons: [] });
    } catch (thrown) {
      log.error("not ready: the database does not answer", { error: messageOf(thrown) });
      return context.json({ ready: false, reasons: ["the database does not answer"] }, 503);
    }
  });
}
