/**
 * Waits until something holds: tests wait on conditions, not on time.
 *
 * @param what for the message when it never comes to hold
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value as Exclude<NonNullable<T>, false>;
      last = value;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain: ${what} (last: ${last})`);
    }
    await new Promise((done) => setTimeout(done, 10));
  }
}
