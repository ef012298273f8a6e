/** Tokens and their roles; who may do what at the registry, route by route. */
export { accessControl, originControl } from "./access_control.ts";
export { AccessTokens, type Role } from "./access_tokens.ts";
export { type Access, accessOf } from "./route_access.ts";
