import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { readRetrainTokens, type RetrainTokenOptions } from "./retrain_tokens.ts";

const ADMIN = "admin-token-0123456789", REPLICA = "replica-token-0123456789";
const WEBHOOK = "webhook-token-0123456789";
const LOCAL = { host: "127.0.0.1" };

async function checkRefused(given: RetrainTokenOptions, ...parts: string[]): Promise<void> {
  const error = await assertSerinError(() => readRetrainTokens(given), "configuration", ...parts);
  assertEquals(error.exit, 2);
  const said = `${error.message}${error.hint}`;
  for (const token of [ADMIN, REPLICA, WEBHOOK]) assertTrue(!said.includes(token), said);
}

Deno.test("a token a role, of files and environment; a role without one has none", async () => {
  const folder = await Deno.makeTempDir(), webhookTokenFile = `${folder}/webhook`;
  await Deno.writeTextFile(webhookTokenFile, ` ${WEBHOOK}\n`);
  const rolesOf = async (given: Partial<RetrainTokenOptions>) => {
    const tokens = await readRetrainTokens({ ...LOCAL, ...given });
    return tokens && [ADMIN, REPLICA, WEBHOOK].map((token) => tokens.roleOf(token));
  };
  const other = "a-token-that-the-file-goes-before";
  assertEquals(
    await rolesOf({ token: ADMIN, replicaToken: REPLICA, webhookTokenFile, webhookToken: other }),
    ["admin", "replica", "webhook"],
  );
  assertEquals(await rolesOf({ token: ADMIN, webhookToken: WEBHOOK }), [
    ...["admin", undefined, "webhook"],
  ]);
  assertEquals(await rolesOf({ token: ADMIN }), ["admin", undefined, undefined]);
  assertEquals(await rolesOf({}), undefined);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the same token of two roles, a narrow one alone, or none where others reach it", async () => {
  const all = { ...LOCAL, token: ADMIN, replicaToken: REPLICA, webhookToken: WEBHOOK };
  const variable = "SERIN_RETRAIN_WEBHOOK_TOKEN";
  await checkRefused(
    { ...all, webhookToken: ADMIN },
    `admin and webhook have the same token (SERIN_RETRAIN_TOKEN and ${variable})`,
    "give the webhook another",
  );
  await checkRefused({ ...all, webhookToken: ` ${REPLICA} ` }, "replica and webhook", "the same");
  await checkRefused({ ...all, replicaToken: ADMIN }, "admin and replica", "the same token");
  await checkRefused({ ...LOCAL, webhookToken: WEBHOOK }, "A webhook token is given and no admin");
  await checkRefused({ ...LOCAL, webhookToken: "" }, variable, "is empty");
  await checkRefused({ ...all, webhookTokenFile: "/none" }, "/none (--webhook-token-file)");
  await checkRefused({ host: "0.0.0.0" }, "no token is given", "--webhook-token-file");
});
