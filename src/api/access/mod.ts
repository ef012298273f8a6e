/** Who may do what at the registry: tokens, their roles, and what each route wants. */
export { accessControl, originControl } from "./access_control.ts";
export { AccessTokens, type Role } from "./access_tokens.ts";
export { type Access, accessOf } from "./route_access.ts";
