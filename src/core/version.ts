/** serin's own version; `tests/tidy_test.ts` holds it equal to `deno.json`. */
export const VERSION = "0.1.0";
