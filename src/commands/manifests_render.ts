import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin manifests render` */
export const manifestsRenderCommand = defineCommand({
  name: "manifests render",
  summary: "Write the Kubernetes objects of an installation as YAML",
  description:
    "Prints all objects for `kubectl apply --server-side -f -`; with --output writes them as a " +
    "kustomize tree: a base, overlays and components, and a README.md that lists every setting. " +
    "Nothing is read, no cluster is asked, and no Secret is among them.",
  options: z.strictObject({
    overlay: z.enum(["base", "dev", "production"]).optional().meta({
      description: "Which installation; default base (not with --output, which writes them all)",
    }),
    set: z.array(z.string().min(1)).default([]).meta({
      description: "A setting, above the overlay's own, e.g. serving.replicasMax=10",
      placeholder: "KEY=VALUE",
    }),
    output: z.string().min(1).optional().meta({
      description: "Folder for the kustomize tree; what was rendered there before is replaced",
      placeholder: "DIR",
    }),
  }),
  // env: the YAML writer looks for a debugging variable.
  permissions: ["read", "write", "env"],
  examples: [
    "manifests render --overlay dev --set image=registry.example/serin:1.0.0",
    "manifests render --output manifests",
  ],
  load: () => import("./manifests_render_run.ts"),
});
