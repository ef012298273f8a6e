import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { inClusterSettings, parseKubeconfig } from "./mod.ts";

const CLUSTER = { server: "https://k:6443", "certificate-authority": "ca.crt" };

/** A kubeconfig with one context. */
function config(user: object, cluster: object = CLUSTER, more: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    "current-context": "dev",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "me", user }],
    contexts: [{ name: "dev", context: { cluster: "c", user: "me" } }],
    ...more,
  };
}
const file = (content: unknown, path = "/etc/k/config") => ({ path, content });

Deno.test("certificates in the file go before paths; paths are relative to their file", () => {
  const settings = parseKubeconfig([file(config({
    "client-certificate-data": btoa("CERT"),
    "client-certificate": "ignored.crt",
    "client-key": "/keys/me.key",
    tokenFile: "token",
  }, { ...CLUSTER, "proxy-url": "socks5://p:1080" }))]);
  assertEquals(settings, {
    source: 'context "dev" of /etc/k/config',
    namespace: "default",
    server: "https://k:6443",
    authority: { kind: "file", path: "/etc/k/ca.crt" },
    proxyUrl: "socks5://p:1080",
    certificate: { kind: "pem", pem: "CERT" },
    key: { kind: "file", path: "/keys/me.key" },
    tokenFile: "/etc/k/token",
  });
});

Deno.test("several files: of one name the first counts; things of different files fit together", () => {
  const users = { users: [{ name: "me", user: { token: "t" } }] };
  const others = {
    "current-context": "prod",
    ...users,
    clusters: [{ name: "c", cluster: { server: "https://other" } }],
    contexts: [
      { name: "prod", context: { cluster: "c", user: "me", namespace: "serin" } },
      { name: "dev", context: { cluster: "nowhere", user: "me" } },
    ],
  };
  const files = [file(config({ token: "first" }), "/a/one"), file(others, "/b/two")];
  assertEquals(parseKubeconfig(files).token, "first");
  const prod = parseKubeconfig(files, "prod");
  assertEquals([prod.server, prod.namespace], ["https://k:6443", "serin"]);
  assertEquals(parseKubeconfig([file(users, "/u"), file(others, "/b/two")]).token, "t");
});

Deno.test("what serin does not do is refused with the way out, all at once", async () => {
  const refused: [user: object, cluster: object, parts: string[]][] = [
    [{ exec: { command: "aws", args: [] } }, CLUSTER, [
      "aws (exec)",
      "--kube-api",
      "kubectl proxy",
    ]],
    [{ "auth-provider": { name: "gcp" } }, CLUSTER, ["auth-provider", "--kube-api"]],
    [{ username: "u", password: "hunter2" }, CLUSTER, ["user name and password", "1.19"]],
    [{ as: "root", token: "t" }, CLUSTER, ["acts as somebody else"]],
    [{ "client-key": "k" }, CLUSTER, ["only one of client certificate and client key"]],
    [{}, { ...CLUSTER, "insecure-skip-tls-verify": true }, ["certificates are always checked"]],
    [{ exec: {} }, { ...CLUSTER, "tls-server-name": "x" }, ["tls-server-name", "a program (exec)"]],
  ];
  for (const [user, cluster, parts] of refused) {
    const run = () => parseKubeconfig([file(config(user, cluster))]);
    const thrown = await assertSerinError(run, "configuration", ...parts);
    assertTrue(!thrown.message.includes("hunter2"), "no secret in it");
  }
});

Deno.test("what is missing or no kubeconfig is named", async () => {
  const cases: [content: unknown, context: string | undefined, parts: string[]][] = [
    [config({}), "prd", ['no context named "prd"', "there are dev"]],
    [config({}), "dv", ['did you mean "dev"?']],
    [{}, undefined, ["no current-context", "--context"]],
    [config({}, CLUSTER, { clusters: null }), undefined, [
      'no cluster named "c"',
      "there are none",
    ]],
    ["text", undefined, ["is no kubeconfig", "the whole file"]],
    [config({ token: 7 }, { server: 1 }), undefined, [
      "clusters.0.cluster.server",
      "users.0.user.token",
    ]],
    [config({}, { ...CLUSTER, "certificate-authority-data": "%" }), undefined, ["no base64"]],
  ];
  for (const [content, context, parts] of cases) {
    await assertSerinError(
      () => parseKubeconfig([file(content)], context),
      "configuration",
      ...parts,
    );
  }
});

Deno.test("in a pod: address with IPv6, namespace; outside of one: nothing", () => {
  assertEquals(
    inClusterSettings({ host: "fd00::1", port: "6443" }, undefined)?.server,
    "https://[fd00::1]:6443",
  );
  assertEquals(inClusterSettings({ host: "10.0.0.1" }, " serin\n")?.namespace, "serin");
  assertEquals(
    [inClusterSettings({ host: "" }, "x"), inClusterSettings({ host: undefined }, "x")],
    [
      undefined,
      undefined,
    ],
  );
});
