import { z } from "zod";
import { rolloutPlanSchema } from "../../rollout/mod.ts";
import { assertEquals, assertTrue } from "../../testing/mod.ts";
import type { StructuralSchema } from "./object_shape.ts";
import { rolloutCrd } from "./rollout_crd.ts";
import { ROLLOUT_PLAN_SCHEMA } from "./rollout_plan_schema.ts";

interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly enum?: readonly unknown[];
}

/** Dotted keys with their types; what the API server would drop is missing here. */
function fieldsOf(shape: Shape, path = ""): string[] {
  if (shape.properties !== undefined) {
    return Object.entries(shape.properties).flatMap(([key, one]) =>
      fieldsOf(one, `${path}.${key}`)
    );
  }
  if (shape.items !== undefined) return fieldsOf(shape.items, `${path}[]`);
  return [`${path}: ${shape.type}${shape.enum === undefined ? "" : ` of ${shape.enum}`}`];
}

Deno.test("the plan's schema is that of the registry's plans", () => {
  const plan = z.toJSONSchema(rolloutPlanSchema, { io: "output" }) as Shape;
  assertEquals(fieldsOf(ROLLOUT_PLAN_SCHEMA).toSorted(), fieldsOf(plan).toSorted());
});

Deno.test("the schema is structural, and columns show fields that it has", () => {
  const [version] = rolloutCrd().spec.versions;
  const { openAPIV3Schema } = version.schema;
  const visit = (schema: StructuralSchema, path: string) => {
    assertTrue(schema.type !== undefined, `${path} has a type`);
    for (const key of schema.required ?? []) assertTrue(schema.properties?.[key], `${path}.${key}`);
    for (const [key, one] of Object.entries(schema.properties ?? {})) visit(one, `${path}.${key}`);
    if (schema.type === "array") {
      assertTrue(schema.items !== undefined && schema["x-kubernetes-list-type"], path);
      visit(schema.items!, `${path}[]`);
    }
  };
  visit(openAPIV3Schema, "");
  const fields = fieldsOf(openAPIV3Schema).map((line) => line.split(":")[0]);
  for (const { jsonPath } of version.additionalPrinterColumns) {
    const isKnown = fields.includes(jsonPath) || jsonPath.startsWith(".metadata.");
    assertTrue(isKnown, `${jsonPath} is a field`);
  }
});
