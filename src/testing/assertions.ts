import nodeAssert from "node:assert/strict";
import { type ErrorCode, SerinError } from "../core/mod.ts";

/** Fails unless both are deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

/** Fails unless the value is truthy. */
export function assertTrue(value: unknown, message: string): asserts value {
  if (!value) throw new nodeAssert.AssertionError({ message, actual: value, expected: true });
}

/** Fails unless the two numbers differ by at most `tolerance`. */
export function assertClose(actual: number, expected: number, tolerance: number, what = ""): void {
  const near = Math.abs(actual - expected) <= tolerance;
  assertTrue(near, `${what} ${actual} is not within ${tolerance} of ${expected}`.trim());
}

/** Fails unless the text holds the part. */
export function assertIncludes(text: string, part: string): void {
  assertTrue(text.includes(part), `${JSON.stringify(part)} is not in ${JSON.stringify(text)}`);
}

/** Fails unless the function throws a SerinError of that code whose text holds every part. */
export async function assertSerinError(
  run: () => unknown,
  code: ErrorCode,
  ...parts: string[]
): Promise<SerinError> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    assertEquals(thrown.code, code, thrown.message);
    for (const part of parts) assertIncludes(`${thrown.message} (${thrown.hint ?? ""})`, part);
    return thrown;
  }
  throw new nodeAssert.AssertionError({ message: `no error was thrown, expected ${code}` });
}
