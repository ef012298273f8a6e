/**
 * Says that something holds by construction. A failure is a programmer's error, never a user's.
 *
 * @param condition what must hold
 * @param message what does not hold, with the value seen
 * @throws {AssertionError} when it does not hold; ends the request (500, counted) or the command
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** A broken invariant of serin's own. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}
