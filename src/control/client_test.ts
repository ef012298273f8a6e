import { SerinError } from "../core/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import { type ControlClient, createControlClient, createRetrainClient } from "./mod.ts";

interface Sent {
  readonly line: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A client whose server answers the same to everything. */
function clientOf(
  answer: () => Response | Promise<Response>,
  options: { token?: string; headers?: Record<string, string>; baseUrl?: string } = {},
): { control: ControlClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = (input: RequestInfo | URL, init: RequestInit = {}) => {
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    sent.push({ line: `${init.method} ${input}`, headers: new Headers(init.headers), body });
    return Promise.resolve(answer());
  };
  return { control: createControlClient({ baseUrl: "http://h:1/x/", fetch, ...options }), sent };
}

/** What a call fails with. */
async function failureOf(call: Promise<unknown>): Promise<SerinError> {
  const thrown = await call.then(() => undefined, (error) => error);
  assertTrue(thrown instanceof SerinError, `a SerinError, not ${thrown}`);
  return thrown as SerinError;
}

const STATUS = {
  id: "r1",
  model: "m",
  alias: "champion",
  stable: "1",
  canary: "2",
  phase: "ramp",
  step: 0,
  steps: 1,
  share: 0.1,
  startedAt: 1,
  endedAt: null,
  canaryRequests: 3,
  evidence: 1,
  labelEvidence: 1,
  evidenceNeeded: 200,
  verdict: "serving 10 %",
  plan: {
    steps: [{ share: 0.1, seconds: 1 }],
    warmupSeconds: 0,
    canaryRequestsMin: 1,
    alpha: 0.01,
    beta: 0.05,
    holdSeconds: 1,
    labels: "if_any",
    margins: {
      errorRatio: 2,
      errorDifference: 0.01,
      latencyRatio: 1.5,
      latencyDifference: 0.01,
      labelRatio: 1.2,
    },
    newerField: true,
  },
  notWorseNeeded: 20,
  sampleRatioFault: 1,
  labelRatioFault: 1,
  metrics: [],
  history: [],
};

Deno.test("each method calls its route, with what identifies the caller", async () => {
  const { control, sent } = clientOf(() => Response.json(STATUS), {
    token: "secret-token-1234",
    headers: { "x-serin-authorization": "Bearer other" },
  });
  const started = await control.startRollout({ model: "m", challenger: "2", plan: { alpha: 0.1 } });
  assertEquals([started.plan.newerField, started.holdReason], [true, null]);
  await control.getRollout("r/1");
  await control.abortRollout("r1");
  await control.promoteRollout("r1");
  assertEquals(sent.map(({ line }) => line), [
    "POST http://h:1/x/api/serin/v1/rollouts",
    "GET http://h:1/x/api/serin/v1/rollouts/r%2F1",
    "POST http://h:1/x/api/serin/v1/rollouts/r1/abort",
    "POST http://h:1/x/api/serin/v1/rollouts/r1/promote",
  ]);
  assertEquals(sent[0].body, { model: "m", challenger: "2", plan: { alpha: 0.1 } });
  for (const { headers } of sent) {
    assertEquals(headers.get("authorization"), "Bearer secret-token-1234");
    assertEquals(headers.get("x-serin-authorization"), "Bearer other");
  }
});

Deno.test("lists: rollouts, replicas, moves of aliases with their filters", async () => {
  const answer = { rollouts: [STATUS], replicas: [], changes: [] };
  const { control, sent } = clientOf(() => Response.json(answer));
  assertEquals((await control.listRollouts())[0].id, "r1");
  assertEquals(await control.listReplicas(), []);
  await control.listAliasChanges("a b", { alias: "champion", limit: 5 });
  await control.listAliasChanges("m");
  assertEquals(sent.slice(2).map(({ line }) => line), [
    "GET http://h:1/x/api/serin/v1/models/a%20b/history?alias=champion&limit=5",
    "GET http://h:1/x/api/serin/v1/models/m/history?",
  ]);
  assertEquals(sent[0].headers.has("authorization"), false);
});

Deno.test("a server's errors keep code, message and hint", async () => {
  const body = { error: { code: "conflict", message: "A rollout runs: r2", hint: "abort it" } };
  const { control } = clientOf(() => Response.json(body, { status: 409 }));
  const error = await failureOf(control.promoteRollout("r1"));
  assertEquals([error.code, error.message, error.hint], [
    "conflict",
    "A rollout runs: r2",
    "abort it",
  ]);
});

Deno.test("401 and 403 say what to do; other servers and other answers are named", async () => {
  const cases: [answer: () => Response, code: string, hint: string][] = [
    [() => new Response("no", { status: 401 }), "unauthenticated", "SERIN_REGISTRY_TOKEN"],
    [
      () => Response.json({ error: { code: "permission_denied", message: "m" } }, { status: 403 }),
      "permission_denied",
      "the admin's token",
    ],
    [
      () => Response.json({ error_code: "ENDPOINT_NOT_FOUND", message: "m" }, { status: 404 }),
      "not_found",
      "must be of `serin registry`",
    ],
    [() => new Response("<html>", { status: 502 }), "unavailable", "what stands between"],
    [() => Response.json({ id: 1 }), "unavailable", "of the same version"],
    [() => new Response("<html>"), "unavailable", "of the same version"],
    [
      () => Response.json({ error: { code: "new_code", message: "m" } }, { status: 400 }),
      ...[
        "invalid_input",
        "",
      ] as const,
    ],
  ];
  for (const [answer, code, hint] of cases) {
    const { control } = clientOf(answer);
    const error = await failureOf(control.getRollout("r1"));
    assertEquals(error.code, code);
    assertIncludes(error.hint ?? "", hint);
  }
  for (const status of [401, 403]) {
    const fetch = () => Promise.resolve(new Response("no", { status }));
    const retrain = createRetrainClient({ baseUrl: "http://h:1", fetch });
    const { hint } = await failureOf(retrain.get("t1"));
    assertIncludes(
      hint ?? "",
      "with --token-file FILE, or in the environment as SERIN_RETRAIN_TOKEN",
    );
  }
  const { control } = clientOf(() => Promise.reject(new TypeError("connection refused")));
  const error = await failureOf(control.listReplicas());
  assertEquals(error.code, "unavailable");
  assertIncludes(error.message, "Cannot reach http://h:1/x: connection refused");
});
