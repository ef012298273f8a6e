import { assertEquals } from "../testing/mod.ts";
import { RemotePeer } from "./remote_peer.ts";

Deno.test("labels are sent on as they came, where they came as bytes", async () => {
  const sent: unknown[] = [];
  const peer = new RemotePeer({
    baseUrl: "http://registry/",
    fetch: async (url, options) => {
      const { body } = options as { body: BodyInit };
      sent.push([url, await new Response(body).text()]);
      return Response.json({ accepted: 1, refused: [] });
    },
  });
  const request = { labels: [{ prediction: "AQ", row: 0, label: 1 }] };
  const text = '{ "labels": [ {"prediction": "AQ", "label": 1} ] }';
  await peer.labels(request, new TextEncoder().encode(text));
  const answer = await peer.labels(request);
  assertEquals(answer, { accepted: 1, refused: [] });
  assertEquals(sent, [
    ["http://registry/v1/labels", text],
    ["http://registry/v1/labels", JSON.stringify(request)],
  ]);
});
