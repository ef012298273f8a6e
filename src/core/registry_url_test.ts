import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { registryUrl } from "./mod.ts";

Deno.test("an address of a registry: http or https, a path is kept, a slash at the end is not", () => {
  const cases = [
    ["http://localhost:5000", "http://localhost:5000"],
    ["https://ml.example/team/", "https://ml.example/team"],
    ["http://h:1//", "http://h:1"],
    ["http://h/a@b", "http://h/a@b"],
    ["http://h:1/?", "http://h:1"],
  ];
  for (const [text, expected] of cases) assertEquals(registryUrl(text), expected);
});

Deno.test("what is none, or would carry a password into logs, is refused without telling it", async () => {
  const cases: [text: string, shown: string, hint: string][] = [
    ["localhost:5000", '"localhost:5000"', "http://host:port"],
    ["models", '"models"', "http://host:port"],
    ["ftp://u:hunter2@h", '"ftp://…@h"', "http://host:port"],
    ["u:hunter2@h:5000", '"…@h:5000"', "http://host:port"],
    ["http://u:hunter2@h:5000/x", '"http://…@h:5000/x"', "--registry-token-file"],
    ["https://:hunter2@h", '"https://…@h"', "SERIN_REGISTRY_TOKEN"],
    ["http://h:1/a?sig=hunter2", '"http://h:1/a…"', "http://host:port"],
    ["http://h:1#hunter2", '"http://h:1/…"', "http://host:port"],
    ["https://hunter2@h", '"https://…@h"', "SERIN_REGISTRY_TOKEN"],
  ];
  for (const [text, shown, hint] of cases) {
    const thrown = await assertSerinError(() => registryUrl(text), "configuration", shown, hint);
    assertEquals(thrown.message.includes("hunter2"), false, text);
  }
});
