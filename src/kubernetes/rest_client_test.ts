import { SeededRandom, SerinError } from "../core/mod.ts";
import { assertEquals, assertSerinError, assertTrue, FakeClock, until } from "../testing/mod.ts";
import { createKubernetesClient, isKindMissing, type KubernetesObject } from "./mod.ts";

interface Sent {
  readonly line: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly signal: AbortSignal | null | undefined;
}

type Answer = (sent: Sent, number: number) => Response | undefined;

const GROUPS: Record<string, object[]> = {
  "/api/v1": [
    { name: "configmaps", kind: "ConfigMap", namespaced: true },
    { name: "namespaces", kind: "Namespace", namespaced: false },
    { name: "pods", kind: "Pod", namespaced: true },
    { name: "pods/log", kind: "Pod", namespaced: true },
  ],
  "/apis/apps/v1": [{ name: "deployments", kind: "Deployment", namespaced: true }],
};

/** A client whose API server knows a few kinds and answers the rest as told. */
function clientOf(answer: Answer, options: { authorize?: (anew: boolean) => string } = {}) {
  const sent: Sent[] = [], waits: number[] = [];
  const fetch = (input: RequestInfo | URL, init: RequestInit = {}) => {
    const url = new URL(String(input));
    if (init.method === "GET" && /^\/apis?\/[^?]*$/.test(url.pathname) && url.pathname in GROUPS) {
      return Promise.resolve(Response.json({ resources: GROUPS[url.pathname] }));
    }
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    const line = `${init.method} ${url.pathname}${url.search}`;
    sent.push({ line, headers: new Headers(init.headers), body, signal: init.signal });
    const given = answer(sent.at(-1)!, sent.length);
    return Promise.resolve(given ?? new Response("404 page not found\n", { status: 404 }));
  };
  const client = createKubernetesClient({
    server: "https://k:6443/",
    namespace: "serin",
    fetch,
    clock: new FakeClock(),
    random: new SeededRandom(1),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    ...(options.authorize === undefined
      ? {}
      : { authorize: (anew) => Promise.resolve(options.authorize!(anew)) }),
  });
  return { client, sent, waits };
}

const CONFIG_MAP: KubernetesObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a b" },
};
const REF = { apiVersion: "v1", kind: "ConfigMap", name: "a" };
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" } };

function status(code: number, reason: string, message: string, details?: object): Response {
  return Response.json({ kind: "Status", status: "Failure", code, reason, message, details }, {
    status: code,
  });
}

Deno.test("each method's request: path, query, content type, body", async () => {
  const { client, sent } = clientOf(() => Response.json({ metadata: { name: "x" } }));
  await client.get(REF);
  await client.get({ apiVersion: "v1", kind: "Namespace", name: "serin" });
  await client.create(CONFIG_MAP, { dryRun: true });
  await client.apply(DEPLOYMENT, { fieldManager: "m", subresource: "status" });
  await client.replace({ ...CONFIG_MAP, metadata: { name: "a", namespace: "other" } });
  await client.patch(REF, { data: null }, { fieldManager: "m" });
  await client.delete(REF, { propagation: "Foreground", preconditions: { uid: "u" } });
  assertEquals(sent.map(({ line }) => line), [
    "GET /api/v1/namespaces/serin/configmaps/a",
    "GET /api/v1/namespaces/serin",
    "POST /api/v1/namespaces/serin/configmaps?fieldValidation=Strict&dryRun=All",
    "PATCH /apis/apps/v1/namespaces/serin/deployments/d/status" +
    "?fieldValidation=Strict&fieldManager=m&force=false",
    "PUT /api/v1/namespaces/other/configmaps/a?fieldValidation=Strict",
    "PATCH /api/v1/namespaces/serin/configmaps/a?fieldValidation=Strict&fieldManager=m",
    "DELETE /api/v1/namespaces/serin/configmaps/a",
  ]);
  assertEquals(sent.slice(3).map(({ headers }) => headers.get("content-type")), [
    "application/apply-patch+yaml",
    "application/json",
    "application/merge-patch+json",
    "application/json",
  ]);
  assertEquals(sent.at(-1)!.body, {
    apiVersion: "v1",
    kind: "DeleteOptions",
    preconditions: { uid: "u" },
    propagationPolicy: "Foreground",
  });
  await assertSerinError(() => client.delete({ ...REF, name: "" }), "invalid_input");
});

Deno.test("lists: pages are put together, items get their head; an expired page begins anew", async () => {
  let expired = false;
  const { client, sent } = clientOf(({ line }) => {
    if (line.includes("continue=two")) {
      if (!expired) {
        expired = true;
        return status(410, "Expired", "The provided continue parameter is too old");
      }
      return Response.json({
        metadata: { resourceVersion: "9" },
        items: [{ metadata: { name: "b" } }],
      });
    }
    const metadata = { resourceVersion: "9", continue: "two" };
    return Response.json({ metadata, items: [{ metadata: { name: "a" } }] });
  });
  const kind = {
    apiVersion: "v1",
    kind: "ConfigMap",
    labelSelector: "x=y",
    limit: 1,
    namespace: "*",
  };
  const { items, resourceVersion } = await client.list(kind);
  assertEquals(resourceVersion, "9");
  assertEquals(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`), [
    "ConfigMap a",
    "ConfigMap b",
  ]);
  assertEquals(sent[0].line, "GET /api/v1/configmaps?labelSelector=x%3Dy&limit=1");
  assertEquals(sent.length, 4);
});

Deno.test("errors: the object, every problem, who manages a field, which right is missing", async () => {
  const failing = (answer: Response) => clientOf(() => answer.clone()).client;
  await assertSerinError(
    () => failing(status(409, "AlreadyExists", "exists")).create(CONFIG_MAP),
    "already_exists",
    "Cannot create ConfigMap serin/a b: exists",
  );
  const causes = [
    {
      reason: "FieldManagerConflict",
      message: 'conflict with "helm" using apps/v1',
      field: ".spec.x",
    },
    { reason: "FieldManagerConflict", message: 'conflict with "kubectl"', field: ".spec.y" },
  ];
  const conflict = await assertSerinError(
    () =>
      failing(status(409, "Conflict", "Apply failed", { causes }))
        .apply(DEPLOYMENT, { fieldManager: "m" }),
    "conflict",
    '"helm" manages .spec.x; "kubectl" manages .spec.y',
    "force",
  );
  assertEquals(conflict.details?.conflicts, [
    { manager: "helm", field: ".spec.x" },
    { manager: "kubectl", field: ".spec.y" },
  ]);
  const invalid = { causes: [{ field: "spec.a", message: "Required value" }] };
  await assertSerinError(
    () => failing(status(422, "Invalid", "it is invalid", invalid)).replace(CONFIG_MAP),
    "invalid_input",
    "it is invalid; spec.a: Required value",
  );
  const user = 'User "system:serviceaccount:serin:c" cannot patch resource "deployments/status"';
  await assertSerinError(
    () =>
      failing(status(403, "Forbidden", user))
        .apply(DEPLOYMENT, { fieldManager: "m", subresource: "status" }),
    "permission_denied",
    'verb "patch" on resource "deployments/status" of API group "apps"',
    'to "system:serviceaccount:serin:c"',
  );
  await assertSerinError(
    () => failing(status(403, "Forbidden", "exceeded quota: pods")).create(CONFIG_MAP),
    "permission_denied",
    "quota",
  );
  await assertSerinError(
    () => failing(status(401, "Unauthorized", "Unauthorized")).get(REF),
    "unauthenticated",
    'verb "get" on resource "configmaps"',
  );
  await assertSerinError(
    () => failing(status(500, "", "failed to create typed patch object (x): .spec.z")).get(REF),
    "invalid_input",
  );
  await assertSerinError(
    () => failing(new Response("<html>", { status: 502 })).get(REF),
    "unavailable",
  );
  await assertSerinError(() => failing(new Response("<html>")).get(REF), "unavailable", "no JSON");
  const missing = failing(status(404, "NotFound", "not found", { name: "a" }));
  assertEquals([await missing.get(REF), await missing.delete(REF)], [undefined, false]);
  await assertSerinError(() => missing.patch(REF, {}), "not_found");
});

Deno.test("a kind that is missing: never there, or taken away since", async () => {
  const { client } = clientOf(() => undefined);
  for (
    const call of [
      () => client.get({ apiVersion: "serin.dev/v1alpha1", kind: "Rollout", name: "x" }),
      () => client.list({ apiVersion: "v1", kind: "Confgmap" }),
      // The kind is told by discovery, its path answers like one that is not there.
      () => client.get(REF),
      () => client.list(REF),
      async () => {
        for await (const _ of client.watch(REF, { signal: new AbortController().signal }));
      },
    ]
  ) {
    const thrown = await assertSerinError(call, "not_found", "CustomResourceDefinition");
    assertTrue(isKindMissing(thrown), thrown.message);
  }
});

Deno.test("a busy server is waited for as it asks; credentials are read anew after a 401", async () => {
  const busy = clientOf((_, number) =>
    number < 3
      ? new Response("{}", { status: 429, headers: { "retry-after": "1" } })
      : Response.json({ metadata: { name: "a" } })
  );
  await busy.client.get(REF);
  assertEquals([busy.sent.length, busy.waits.every((ms) => ms > 1000 && ms < 4000)], [3, true]);
  const always = clientOf(() =>
    new Response("{}", { status: 429, headers: { "retry-after": "0" } })
  );
  await assertSerinError(() => always.client.get(REF), "limit_exceeded");
  const long = clientOf(() =>
    new Response("{}", { status: 503, headers: { "retry-after": "60" } })
  );
  await assertSerinError(() => long.client.get(REF), "unavailable", "the server answered 503");
  assertEquals(long.waits.length, 1, "there is no time for a second wait");
  const asked: boolean[] = [];
  const authorize = (anew: boolean) => {
    asked.push(anew);
    return anew ? "Bearer new" : "Bearer old";
  };
  const renewing = clientOf(
    ({ headers }) =>
      headers.get("authorization") === "Bearer new"
        ? Response.json({ metadata: { name: "a" } })
        : status(401, "Unauthorized", "Unauthorized"),
    { authorize },
  );
  assertEquals((await renewing.client.get(REF))?.metadata.name, "a");
  assertEquals(asked.at(-1), true);
});

Deno.test("a server out of reach, and addresses that are none", async () => {
  const fetch = () => Promise.reject(new TypeError("tcp connect error"));
  const client = createKubernetesClient({ server: "http://k", namespace: "x", fetch });
  await assertSerinError(
    () => client.get(REF),
    "unavailable",
    "Cannot reach http://k",
    "--kube-api",
  );
  for (const server of ["k:6443", "ftp://k", "https://user:secret@k", ""]) {
    const thrown = await assertSerinError(
      () => createKubernetesClient({ server, namespace: "x", fetch }),
      "configuration",
    );
    assertTrue(!JSON.stringify([thrown.message, thrown.details]).includes("secret"), "no secret");
  }
});

Deno.test("watches: list, stream, bookmarks, reconnection, 410 as an event and as an answer", async () => {
  const object = (name: string, resourceVersion: string, uid = name) => ({
    metadata: { name, resourceVersion, uid },
  });
  const lines = (...events: [string, object][]) =>
    new Response(events.map(([type, object]) => JSON.stringify({ type, object }) + "\n").join(""));
  const expired = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
  const list = (resourceVersion: string, ...items: object[]) =>
    Response.json({ metadata: { resourceVersion }, items });
  const script: (() => Response)[] = [
    () => list("1", object("a", "1"), object("b", "1")),
    () => lines(["MODIFIED", object("a", "2")], ["BOOKMARK", object("", "5")]),
    () => lines(["ADDED", object("c", "6")], ["ERROR", expired]),
    () => list("9", object("a", "8"), object("c", "6"), object("b", "7", "another b")),
    () => status(410, "Expired", "too old"),
    () => list("12", object("a", "8"), object("c", "6"), object("b", "7", "another b")),
    () => status(500, "InternalError", "etcd is away"),
    () => lines(["DELETED", object("c", "13")]),
  ];
  const { client, sent } = clientOf((_, number) => script[number - 1]?.());
  const stop = new AbortController(), seen: string[] = [], interruptions: string[] = [];
  let lists = 0;
  const options = {
    signal: stop.signal,
    onListed: () => void lists++,
    onInterruption: (error: unknown) => void interruptions.push((error as SerinError).code),
  };
  for await (const { type, object } of client.watch(REF, options)) {
    seen.push(`${type} ${object.metadata.name}`);
    if (seen.length === 8) stop.abort();
  }
  assertEquals(seen, [
    ...["ADDED a", "ADDED b", "MODIFIED a", "ADDED c"],
    ...["DELETED b", "MODIFIED a", "ADDED b", "DELETED c"],
  ]);
  const versions = sent.map(({ line }) => /resourceVersion=(\d+)/.exec(line)?.[1] ?? "list");
  assertEquals(versions, ["list", "1", "5", "list", "9", "list", "12", "12"]);
  assertEquals([lists, interruptions], [3, ["conflict", "conflict", "unavailable"]]);
});

Deno.test("watches: what only others can heal ends them; so does the signal, without an error", async () => {
  const { client } = clientOf(() => status(403, "Forbidden", 'User "u" cannot watch resource "x"'));
  const watch = async (signal: AbortSignal) => {
    for await (const _ of client.watch(REF, { signal, resourceVersion: "1" }));
  };
  await assertSerinError(() => watch(new AbortController().signal), "permission_denied", '"watch"');
  const waiting = clientOf(({ signal }) =>
    new Response(
      new ReadableStream({
        start: (stream) => signal!.addEventListener("abort", () => stream.error(signal!.reason)),
      }),
    )
  );
  const stop = new AbortController();
  const reading = (async () => {
    const options = { signal: stop.signal, resourceVersion: "1" };
    for await (const _ of waiting.client.watch(REF, options));
  })();
  await until("it is open", () => waiting.sent.length === 1);
  stop.abort();
  await reading;
});
