import { z } from "zod";
import type { Command } from "./command.ts";

/** What a command line may say for one key of a command's zod object. */
export interface OptionSpec {
  /** The key in the zod object, camelCase. */
  readonly key: string;
  /** The flag, e.g. `--admin-port`. */
  readonly flag: string;
  readonly kind: "boolean" | "integer" | "number" | "string";
  readonly repeatable: boolean;
  readonly required: boolean;
  readonly description: string;
  readonly placeholder: string;
  readonly defaultValue: unknown;
  /** An environment variable that gives the value where no flag does. */
  readonly env: string | undefined;
}

interface JsonProperty {
  type?: string | string[];
  anyOf?: JsonProperty[];
  items?: JsonProperty;
  default?: unknown;
  description?: string;
  placeholder?: string;
  env?: string;
  enum?: unknown[];
}

/** @returns the options of a command, in the order of its zod object */
export function optionSpecs(command: Command): OptionSpec[] {
  const schema = z.toJSONSchema(command.options, { io: "input", unrepresentable: "any" }) as {
    properties?: Record<string, JsonProperty>;
    required?: string[];
  };
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const repeatable = property.type === "array";
    const value = repeatable ? property.items ?? {} : property;
    const kind = kindOf(value);
    return {
      key,
      flag: `--${kebab(key)}`,
      kind,
      repeatable,
      required: required.has(key),
      description: property.description ?? "",
      placeholder: property.placeholder ?? placeholderOf(kind, value),
      defaultValue: property.default,
      env: property.env,
    };
  });
}

function kindOf(property: JsonProperty): OptionSpec["kind"] {
  const type = property.type ?? property.anyOf?.map((p) => p.type).find((t) => t !== "null");
  if (type === "boolean" || type === "integer" || type === "number") return type;
  return "string";
}

function placeholderOf(kind: OptionSpec["kind"], property: JsonProperty): string {
  if (property.enum !== undefined) return property.enum.join("|");
  return kind === "string" ? "TEXT" : "N";
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
