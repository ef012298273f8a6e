import { assertEquals, assertSerinError } from "../../testing/mod.ts";
import { parseFilter } from "./filter.ts";
import { parseOrderBy } from "./order_by.ts";
import { decodePageToken, encodePageToken } from "./page_token.ts";
import { comparisonSql } from "./sql.ts";

const LANGUAGE = {
  spellings: { metrics: "metric", metric: "metric", tags: "tag", attributes: "attribute" },
  bare: "attribute",
  synonyms: { created: "start_time" },
  kinds: {
    metric: { comparators: ["=", "!=", ">", ">=", "<", "<="], numeric: "all" },
    tag: { comparators: ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"] },
    attribute: {
      comparators: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"],
      keys: ["run_id", "start_time"],
      numeric: ["start_time"],
      numericComparators: ["=", "!=", ">", ">=", "<", "<="],
      listKeys: ["run_id"],
    },
  },
} as const;

function checkFilter(text: string, ...expected: unknown[][]): void {
  const clauses = parseFilter(text, LANGUAGE);
  assertEquals(
    clauses.map(({ kind, key, comparator, value }) => [kind, key, comparator, value]),
    expected,
  );
}

Deno.test("comparisons are read in all their spellings", () => {
  checkFilter("");
  checkFilter("metrics.loss < 0.1", ["metric", "loss", "<", 0.1]);
  checkFilter("metrics.`a b` >= -1e-3", ["metric", "a b", ">=", -1e-3]);
  checkFilter('metrics."x/y"=1', ["metric", "x/y", "=", 1]);
  checkFilter("tags.mlflow.source.name != 'x'", ["tag", "mlflow.source.name", "!=", "x"]);
  checkFilter("tags.a iLiKe '%B and C%' AND created > 5", ["tag", "a", "ILIKE", "%B and C%"], [
    "attribute",
    "start_time",
    ">",
    5,
  ]);
  checkFilter("run_id IN ('a', 'b') and tags.x is not null", [
    "attribute",
    "run_id",
    "IN",
    ["a", "b"],
  ], ["tag", "x", "IS NOT NULL", null]);
  checkFilter("attributes.run_id NOT IN ('a')", ["attribute", "run_id", "NOT IN", ["a"]]);
});

Deno.test("what is not the language is refused with MLflow's words", async () => {
  for (
    const [text, message] of [
      ["metrics.a > 1 OR metrics.b > 2", "Invalid clause(s) in filter string: 'OR'"],
      ["(metrics.a > 1)", "Invalid clause(s) in filter string: '(metrics.a > 1)'"],
      ["metrics.a LT 1", "Invalid clause(s) in filter string: 'metrics.a LT 1'"],
      ["metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'"],
      ["metrics.a LIKE 1", "Invalid comparator 'LIKE' not one of"],
      ["metrics.a LIKE 'x'", "Expected numeric value type for metric"],
      ["tags.a = 1", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 1"],
      ["tags.a = b", "either not quoted or unidentified quote types"],
      ["foo.a = 'b'", "Invalid entity type 'foo'"],
      ["constructor.a = 'b'", "Invalid entity type 'constructor'"],
      ["__proto__.a = 'b'", "Invalid entity type '__proto__'"],
      ["toString = 'b'", "Invalid attribute key 'toString' specified"],
      ["color = 'b'", "Invalid attribute key 'color' specified"],
      ["start_time IN ('1')", "Expected numeric value type for numeric attribute"],
      ["run_id IN ()", "got empty list"],
      ["run_id IN (1)", "got different type in list"],
      ["run_id IN ('a' 'b')", "ill-formed list"],
      ["run_id IS NULL", "IS NULL / IS NOT NULL is only supported"],
      ["1 = 1", "Expected 'Identifier' found '1'"],
      ["tags.a = 'x'; DROP TABLE run", "Invalid clause(s)"],
    ] as const
  ) {
    await assertSerinError(() => parseFilter(text, LANGUAGE), "invalid_input", message);
  }
});

Deno.test("order_by is read, and a column given twice is refused", async () => {
  assertEquals(parseOrderBy(["metrics.`a b` DESC", "created"], LANGUAGE), [
    { kind: "metric", key: "a b", ascending: false },
    { kind: "attribute", key: "start_time", ascending: true },
  ]);
  for (const text of ["metrics.a UP", "metrics.a DESC x", "", "'a'"]) {
    await assertSerinError(() => parseOrderBy([text], LANGUAGE), "invalid_input", "order_by");
  }
  await assertSerinError(
    () => parseOrderBy(["metrics.a", "metric.a DESC"], LANGUAGE),
    "invalid_input",
    "duplicate fields",
  );
});

Deno.test("page tokens are MLflow's", async () => {
  assertEquals(atob(encodePageToken(10)), '{"offset": 10}');
  assertEquals(decodePageToken(encodePageToken(10)), 10);
  assertEquals(decodePageToken(undefined), 0);
  for (const token of ["%%", btoa("x"), btoa("{}"), btoa('{"offset":-1}')]) {
    await assertSerinError(() => decodePageToken(token), "invalid_input", "Invalid page token");
  }
});

Deno.test("LIKE becomes GLOB and keeps what is literal", () => {
  assertEquals(comparisonSql("value", { comparator: "LIKE", value: "a_b%*[" }), {
    sql: "value GLOB ?",
    params: ["a?b*[*][[]"],
  });
});
