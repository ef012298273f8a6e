import { assertEquals } from "../../testing/mod.ts";
import { fileResponse } from "./file_response.ts";

Deno.test("any name is one attachment of that name, and its type is of the table or bytes", async () => {
  const check = async (path: string, type: string, disposition: string) => {
    const response = fileResponse(path, { size: 2, stream: new Blob(["hi"]).stream() });
    const { headers } = response;
    assertEquals([headers.get("content-type"), headers.get("content-disposition")], [
      type,
      `attachment; ${disposition}`,
    ]);
    assertEquals(await response.text(), "hi");
  };
  const text = "text/plain; charset=utf-8", bytes = "application/octet-stream";
  await check("model/MLmodel", text, "filename=MLmodel");
  await check("a b.txt", text, `filename="a b.txt"; filename*=UTF-8''a%20b.txt`);
  await check("a;b.txt", text, `filename="a;b.txt"; filename*=UTF-8''a%3Bb.txt`);
  await check("a,b=c.PNG", "image/png", `filename="a,b=c.PNG"; filename*=UTF-8''a%2Cb%3Dc.PNG`);
  await check(`ü".bin`, bytes, `filename="__.bin"; filename*=UTF-8''%C3%BC%22.bin`);
  await check("x.constructor", bytes, "filename=x.constructor");
});
