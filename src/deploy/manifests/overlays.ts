import type { ManifestSettingsInput } from "./settings.ts";

/** The kinds of installation that are kept; `base` is the settings' own defaults. */
export const OVERLAYS = ["base", "dev", "production"] as const;

/** A name of {@linkcode OVERLAYS}. */
export type Overlay = typeof OVERLAYS[number];

/** What each overlay sets differently from the defaults. */
export const OVERLAY_SETTINGS: Readonly<Record<Overlay, ManifestSettingsInput>> = {
  base: {},
  dev: {
    registry: { storage: "1Gi", resources: { requests: { cpu: "50m" } } },
    serving: {
      replicasMin: 1,
      replicasMax: 3,
      // People who try things out want to see replicas come and go.
      scaleDownSeconds: 15,
      cacheSize: "512Mi",
      spread: "none",
      resources: { requests: { cpu: "100m", memory: "384Mi" } },
    },
    training: { resources: { requests: { cpu: "250m" } }, keepSeconds: 3600 },
  },
  production: {
    registry: {
      storage: "50Gi",
      resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "1Gi" } },
    },
    serving: {
      replicasMin: 3,
      replicasMax: 20,
      surge: "25%",
      cacheSize: "8Gi",
      spread: "zones",
      resources: {
        // A whole core, so that the target of autoscaling is most of what one isolate can do.
        requests: { cpu: "1", memory: "768Mi" },
        limits: { memory: "1536Mi" },
      },
    },
    training: {
      storage: "20Gi",
      resources: { requests: { cpu: "2", memory: "2Gi" }, limits: { memory: "8Gi" } },
    },
  },
};
