import { messageOf, SerinError } from "../core/mod.ts";
import type { PostedError } from "./messages.ts";

/** @returns an error as it may be posted to another isolate */
export function toPosted(thrown: unknown): PostedError {
  if (thrown instanceof SerinError) {
    const { code, message, hint, details } = thrown;
    return { code, message, hint, details };
  }
  return { code: "internal", message: messageOf(thrown), hint: undefined };
}

/** @returns the error that another isolate posted */
export function fromPosted({ code, message, hint, details }: PostedError): SerinError {
  return new SerinError(code, message, { hint, details });
}
