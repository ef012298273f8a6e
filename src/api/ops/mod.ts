/** The admin port. */
export { adminApp, type AdminAppOptions } from "./admin_app.ts";
