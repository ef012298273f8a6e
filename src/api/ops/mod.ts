/** What probes and people read: the admin port of a replica, the probes of a registry. */
export { adminApp, type AdminAppOptions, type StatusAccess } from "./admin_app.ts";
export { controllerApp, type ControllerAppOptions } from "./controller_app.ts";
export { addProbeRoutes } from "./probe_routes.ts";
