import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { AccessTokens, credentialsOf } from "./access_tokens.ts";

const ADMIN = "admin-token-0123456789";
const REPLICA = "replica-token-0123456789";

Deno.test("a token has its role, and nothing like it has one", () => {
  const both = new AccessTokens({ admin: ADMIN, replica: REPLICA });
  assertEquals([both.roleOf(ADMIN), both.roleOf(REPLICA)], ["admin", "replica"]);
  for (
    const wrong of ["", ADMIN.slice(1), `${ADMIN} `, ADMIN.toUpperCase(), `${ADMIN}${REPLICA}`]
  ) {
    assertEquals(both.roleOf(wrong), undefined, wrong);
  }
  const alone = new AccessTokens({ admin: ADMIN });
  assertEquals([alone.roleOf(ADMIN), alone.roleOf(REPLICA)], ["admin", undefined]);
});

Deno.test("each process has roles of its own; two of them with one token are a defect", () => {
  const third = "a-third-token-0123456789";
  const tokens = new AccessTokens<"admin" | "replica" | "guest">({ admin: ADMIN, guest: third });
  assertEquals([ADMIN, third, REPLICA].map((token) => tokens.roleOf(token)), [
    "admin",
    "guest",
    undefined,
  ]);
  for (const same of [{ replica: ADMIN }, { replica: third, guest: third }]) {
    let thrown: unknown;
    try {
      new AccessTokens({ admin: ADMIN, ...same });
    } catch (error) {
      thrown = error;
    }
    assertIncludes(String(thrown), "two roles have the same token");
  }
});

Deno.test("credentials: Bearer, Basic with any user, X-Serin-Authorization before both", () => {
  const basic = (text: string) => `Basic ${btoa(text)}`;
  const cases: [headers: Record<string, string>, token: string | undefined, ambient?: boolean][] = [
    [{ authorization: `Bearer ${ADMIN}` }, ADMIN, false],
    [{ authorization: `bearer   ${ADMIN}` }, ADMIN, false],
    [{ authorization: basic(`anyone:${ADMIN}`) }, ADMIN, true],
    [{ authorization: basic(`:${ADMIN}`) }, ADMIN, true],
    [{ authorization: basic("user:pass:with:colons") }, "pass:with:colons", true],
    [{ authorization: basic("no colon") }, undefined],
    [{ authorization: "Basic ***" }, undefined],
    [{ authorization: `Token ${ADMIN}` }, undefined],
    [{ authorization: ADMIN }, undefined],
    [{ authorization: `Bearer ${ADMIN}, Bearer ${ADMIN}` }, undefined],
    [{ authorization: "" }, undefined],
    [{}, undefined],
    [{ "x-serin-authorization": `Bearer ${ADMIN}`, authorization: "Bearer proxy" }, ADMIN, false],
    [{ "x-serin-authorization": basic(`u:${ADMIN}`) }, undefined],
    [{ "x-serin-authorization": "", authorization: `Bearer ${ADMIN}` }, undefined],
  ];
  for (const [headers, token, ambient] of cases) {
    const found = credentialsOf(new Headers(headers));
    assertEquals([found?.token, found?.isAmbient], [token, ambient], JSON.stringify(headers));
  }
});
