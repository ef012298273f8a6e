import { messageOf, SerinError } from "../core/mod.ts";
import type { PostedError } from "./messages.ts";

/** @returns an error as it may be posted to another isolate */
export function toPosted(thrown: unknown): PostedError {
  if (thrown instanceof SerinError) {
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  return { code: "internal", message: messageOf(thrown), hint: undefined };
}

/** @returns the error that another isolate posted */
export function fromPosted({ code, message, hint }: PostedError): SerinError {
  return new SerinError(code, message, { hint });
}
