import { z } from "zod";
import { assert } from "../core/mod.ts";
import type { Command } from "./command.ts";

/** What a command line may say for one key of a command's zod object. */
export interface OptionSpec {
  /** The key in the zod object, camelCase. */
  readonly key: string;
  /** The flag, e.g. `--admin-port`; of a secret, what it is called: its environment variables. */
  readonly flag: string;
  /**
   * A secret: it comes from the environment alone, for flags are seen by whoever lists processes.
   */
  readonly secret: boolean;
  readonly kind: "boolean" | "integer" | "number" | "string";
  readonly repeatable: boolean;
  readonly required: boolean;
  readonly description: string;
  readonly placeholder: string;
  readonly defaultValue: unknown;
  /** Environment variables that give the value where no flag does; the first that is set counts. */
  readonly env: readonly string[];
}

interface JsonProperty {
  type?: string | string[];
  anyOf?: JsonProperty[];
  items?: JsonProperty;
  default?: unknown;
  description?: string;
  placeholder?: string;
  env?: string | string[];
  secret?: boolean;
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
    const env = [property.env ?? []].flat();
    const secret = property.secret ?? false;
    assert(!secret || env.length > 0, `the secret ${key} names no environment variable`);
    return {
      key,
      flag: secret ? env.join(" or ") : `--${kebab(key)}`,
      secret,
      kind,
      repeatable,
      required: required.has(key),
      description: property.description ?? "",
      placeholder: property.placeholder ?? placeholderOf(kind, value),
      defaultValue: property.default,
      env,
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
