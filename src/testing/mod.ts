/** For tests only; nothing that ships may import it. */
export {
  assertClose,
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
} from "./assertions.ts";
export { FakeClock } from "./fake_clock.ts";
