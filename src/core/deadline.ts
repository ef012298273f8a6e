/**
 * Waits for work, but not for ever. The work itself goes on where it cannot be cancelled.
 *
 * @param late the error for work that took longer
 * @throws what the work throws, or `late()`
 *
 * @example Work that is never done
 * ```ts
 * import { withDeadline } from "./mod.ts";
 * const work = withDeadline(new Promise(() => {}), 5, () => new Error("too late"));
 * const message = await work.catch((thrown) => thrown.message);
 * console.assert(message === "too late");
 * ```
 */
export async function withDeadline<T>(
  work: Promise<T>,
  msMax: number,
  late: () => Error,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), msMax);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
