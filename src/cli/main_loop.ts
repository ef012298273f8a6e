import { keepPermissions, type Log, openLog, SerinError } from "../core/mod.ts";
import type { Command, CommandContext } from "./command.ts";
import { parseCommandLine } from "./parse.ts";

/** What the process gives to {@linkcode runCommandLine}. */
export interface Host {
  readonly argv: readonly string[];
  readonly env: (name: string) => string | undefined;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  readonly interactive: boolean;
}

/**
 * Runs one command line: parse, give up the permissions that the command does not need, load it, run
 * it. Every error ends here, once.
 *
 * @returns the exit code: 0 done, 1 the work failed, 2 wrong command line, 3 a gate said no
 */
export async function runCommandLine(commands: readonly Command[], host: Host): Promise<number> {
  const level = host.env("SERIN_LOG_LEVEL");
  const log = openLog({
    level: level === "debug" || level === "warn" || level === "error" ? level : "info",
    format: host.env("SERIN_LOG_FORMAT") === "json" ? "json" : "text",
  });
  try {
    const parsed = parseCommandLine(commands, host.argv, host.env);
    if (parsed.kind === "print") {
      host.print(parsed.text);
      return 0;
    }
    keepPermissions(parsed.command.permissions);
    const module = await parsed.command.load();
    const context: CommandContext = {
      log,
      positionals: parsed.positionals,
      interactive: host.interactive,
      print: host.print,
    };
    return (await module.run(parsed.options as never, context)) ?? 0;
  } catch (thrown) {
    return report(thrown, host, log);
  }
}

function report(thrown: unknown, host: Host, log: Log): number {
  if (thrown instanceof SerinError) {
    host.printError(`error: ${thrown.message}`);
    if (thrown.hint !== undefined) host.printError(`hint: ${thrown.hint}`);
    log.debug("the error underneath", { code: thrown.code, cause: String(thrown.cause) });
    return thrown.exit;
  }
  host.printError(`error: serin failed in a way that it should not: ${stackOf(thrown)}`);
  host.printError("hint: this is a defect of serin; please report it with the lines above");
  return 1;
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
}
