import type { z } from "zod";
import type { Log, PermissionKind } from "../core/mod.ts";

/** An argument without a dash. */
export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
}

/** What a running command may use of the outside. */
export interface CommandContext {
  /** Diagnostics, on stderr. */
  readonly log: Log;
  /** The values of the command's positionals, undefined where an optional one is missing. */
  readonly positionals: readonly (string | undefined)[];
  /** Whether stderr is a terminal that progress may be drawn on. */
  readonly interactive: boolean;
  /** Writes a line of the result to stdout. */
  print(line: string): void;
}

/** The module behind a command, loaded when it runs. `R` is the command's parsed options. */
export interface CommandModule<R> {
  /** @returns the exit code; 0 when nothing is returned */
  run(options: R, context: CommandContext): Promise<number | void>;
}

/**
 * One command: the zod object is the only declaration of its options. A key `adminPort` is the flag
 * `--admin-port`; an array is a flag that may be repeated; `.meta({description, placeholder})` feeds
 * help and reference, `env` names the environment variables that count where no flag does, and
 * `secret: true` makes that the only way.
 */
export interface Command<S extends z.ZodObject = z.ZodObject> {
  /** Words that choose it, e.g. "canary replay". */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly positionals?: readonly Positional[];
  readonly options: S;
  /** Kinds of permission that it keeps; all others are revoked before it is loaded. */
  readonly permissions: readonly PermissionKind[];
  /** Command lines that a test runs or checks, without the leading "serin ". */
  readonly examples?: readonly string[];
  /** A literal dynamic import of `<name>_run.ts`. */
  load(): Promise<CommandModule<z.output<S>>>;
}

/** Declares a command; there for its types. */
export function defineCommand<S extends z.ZodObject>(command: Command<S>): Command<S> {
  return command;
}
