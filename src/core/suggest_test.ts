import { assertEquals } from "../testing/mod.ts";
import { didYouMean, suggest } from "./suggest.ts";

Deno.test("suggest finds the near name, whatever the slip", () => {
  const names = ["--registry", "--workers", "--port"];
  assertEquals(suggest("--regsitry", names), "--registry");
  assertEquals(suggest("--worker", names), "--workers");
  assertEquals(suggest("--banana", names), undefined);
  assertEquals(didYouMean("--prot", names), 'did you mean "--port"?');
});
