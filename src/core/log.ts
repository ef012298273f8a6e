/** Severity of a log line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Writes one line per event: for people on a terminal, JSON elsewhere. Never to stdout. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** How {@linkcode openLog} writes. */
export interface LogOptions {
  /** Lines below this are dropped; default info. */
  readonly level?: LogLevel;
  /** Text for people, or one JSON object a line; default text. */
  readonly format?: "text" | "json";
  /** Where lines go; default stderr. */
  readonly write?: (line: string) => void;
}

const encoder = new TextEncoder();

/** @returns a log that writes to stderr (or to `options.write`) */
export function openLog(options: LogOptions = {}): Log {
  const least = RANK[options.level ?? "info"];
  const write = options.write ?? writeStderr;
  const format = options.format === "json" ? formatJson : formatText;
  const at = (level: LogLevel) => (message: string, fields: Record<string, unknown> = {}) => {
    if (RANK[level] >= least) write(format(level, message, fields));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log that drops everything. */
export const silentLog: Log = openLog({ write: () => {} });

function writeStderr(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  } catch {
    // A closed or full stderr must not end a server.
  }
}

function formatJson(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function formatText(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([key, value]) =>
    ` ${key}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`
  ).join("");
  return `${new Date().toISOString()} ${level} ${message}${rest}`;
}
