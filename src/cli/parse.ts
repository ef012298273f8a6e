import { Command as Commander, CommanderError, Option } from "commander";
import type { z } from "zod";
import { didYouMean, SerinError, VERSION } from "../core/mod.ts";
import type { Command } from "./command.ts";
import { type OptionSpec, optionSpecs } from "./option_spec.ts";

/** What a command line asks for. */
export type Parsed =
  | { kind: "run"; command: Command; options: unknown; positionals: (string | undefined)[] }
  | { kind: "print"; text: string };

/** Reads an environment variable. */
export type ReadEnv = (name: string) => string | undefined;

/**
 * Reads a command line against the declared commands.
 *
 * @param argv the words after `serin`
 * @throws {SerinError} `usage` with every problem found, not only the first
 */
export function parseCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  readEnv: ReadEnv = () => undefined,
): Parsed {
  const [first] = argv;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    const topic = first === "help" ? argv.slice(1) : [];
    const command = topic.length > 0 ? findCommand(commands, topic)?.command : undefined;
    return { kind: "print", text: command ? commandHelp(command) : overview(commands) };
  }
  if (first === "--version" || first === "-V") return { kind: "print", text: `serin ${VERSION}` };
  const found = findCommand(commands, argv);
  if (found === undefined) return unknownCommand(commands, argv);
  const rest = argv.slice(found.words);
  const end = rest.indexOf("--");
  if (rest.slice(0, end < 0 ? undefined : end).some((word) => word === "--help" || word === "-h")) {
    return { kind: "print", text: commandHelp(found.command) };
  }
  return parseOptions(found.command, rest, readEnv);
}

function findCommand(commands: readonly Command[], argv: readonly string[]) {
  let best: { command: Command; words: number } | undefined;
  for (const command of commands) {
    const words = command.name.split(" ");
    if (words.every((word, i) => argv[i] === word) && words.length > (best?.words ?? 0)) {
      best = { command, words: words.length };
    }
  }
  return best;
}

/** A group such as `canary` alone prints its commands; anything else is a mistake. */
function unknownCommand(commands: readonly Command[], argv: readonly string[]): Parsed {
  const group = commands.filter((command) => command.name.startsWith(`${argv[0]} `));
  if (group.length > 0 && (argv.length === 1 || argv[1] === "--help" || argv[1] === "-h")) {
    return { kind: "print", text: overview(group) };
  }
  const typed = group.length > 0 ? `${argv[0]} ${argv[1]}` : argv[0];
  const names = group.length > 0
    ? group.map((command) => command.name)
    : [...new Set(commands.map((command) => command.name.split(" ")[0]))];
  const what = typed.startsWith("-") ? "option" : "command";
  throw new SerinError("usage", `There is no ${what} "${typed}"`, {
    hint: didYouMean(typed, [...names, "--help", "--version"]) ?? "`serin --help` lists them",
  });
}

function parseOptions(command: Command, words: readonly string[], readEnv: ReadEnv): Parsed {
  const specs = optionSpecs(command);
  const problems: string[] = [];
  const commander = toCommander(command, specs);
  let operands: string[] = [];
  try {
    const parsed = commander.parseOptions([...words]);
    operands = [...parsed.operands];
    collectUnknown(parsed.unknown, specs, operands, problems);
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    problems.push(thrown.message.replace(/^error: /, ""));
  }
  const values: Record<string, unknown> = {};
  for (const spec of specs) readValue(spec, commander.opts()[spec.key], readEnv, values, problems);
  const positionals = readPositionals(command, operands, problems);
  const result = command.options.safeParse(values);
  if (!result.success) problems.push(...result.error.issues.flatMap((i) => describe(i, specs)));
  if (problems.length > 0) throw usageError(command, problems);
  return { kind: "run", command, options: result.data, positionals };
}

function collectUnknown(
  unknown: readonly string[],
  specs: readonly OptionSpec[],
  operands: string[],
  problems: string[],
): void {
  const flags = [...specs.filter(({ secret }) => !secret).map(({ flag }) => flag), "--help"];
  for (const word of unknown) {
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    const flag = word.split("=")[0];
    const hint = didYouMean(flag, flags);
    problems.push(`unknown option ${flag}${hint === undefined ? "" : ` (${hint})`}`);
  }
  // The word after an unknown option may be its value: do not report it a second time.
  if (unknown.some((word) => word.startsWith("-"))) operands.length = 0;
}

function readValue(
  spec: OptionSpec,
  given: unknown,
  readEnv: ReadEnv,
  values: Record<string, unknown>,
  problems: string[],
): void {
  let words = given as (string | boolean)[] | boolean | undefined;
  if (words === undefined) {
    const text = spec.env.map((name) => readEnv(name)).find((text) => text);
    if (text !== undefined) words = [text];
  }
  if (words === undefined) return;
  if (typeof words === "boolean") {
    values[spec.key] = words;
    return;
  }
  if (words.length > 1 && !spec.repeatable) {
    problems.push(`${spec.flag} was given ${words.length} times`);
  }
  const converted = words.map((word) => convert(spec, String(word)));
  values[spec.key] = spec.repeatable ? converted : converted.at(-1);
}

/** Text → the option's kind. What is no number stays text, so that zod names it (never "" → 0). */
function convert(spec: OptionSpec, text: string): unknown {
  if (spec.kind === "boolean") {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    if (/^(false|0|no|off)$/i.test(text)) return false;
    return text;
  }
  if (spec.kind === "string") return text;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function readPositionals(command: Command, operands: readonly string[], problems: string[]) {
  const wanted = command.positionals ?? [];
  for (const extra of operands.slice(wanted.length)) {
    problems.push(`unexpected argument "${extra}"`);
  }
  wanted.forEach((positional, i) => {
    if (operands[i] === undefined && positional.optional !== true && problems.length === 0) {
      problems.push(`missing argument ${positional.name}`);
    }
  });
  return wanted.map((_, i) => operands[i]);
}

function describe(issue: z.core.$ZodIssue, specs: readonly OptionSpec[]): string[] {
  const spec = specs.find((candidate) => candidate.key === issue.path[0]);
  if (spec === undefined) return [issue.message];
  const missing = issue.code === "invalid_type" && issue.input === undefined && spec.required;
  if (missing) return [`missing ${spec.flag} ${spec.placeholder}`];
  return [`${spec.flag}: ${issue.message}`];
}

function usageError(command: Command, problems: readonly string[]): SerinError {
  const text = problems.length === 1 ? problems[0] : problems.map((p) => `\n  - ${p}`).join("");
  return new SerinError("usage", `serin ${command.name}: ${text}`, {
    hint: `\`serin ${command.name} --help\` shows its options`,
    details: { problems: [...problems] },
  });
}

/** The commander twin of a command: its tokenizer and its help; it decides nothing itself. */
function toCommander(command: Command, specs: readonly OptionSpec[]): Commander {
  const commander = new Commander(`serin ${command.name}`)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .allowUnknownOption()
    .allowExcessArguments()
    .summary(command.summary)
    .description(command.description ?? command.summary)
    .helpOption("-h, --help", "Show this");
  for (const { name, summary, optional } of command.positionals ?? []) {
    commander.argument(optional ? `[${name}]` : `<${name}>`, summary);
  }
  for (const spec of specs.filter(({ secret }) => !secret)) {
    const value = spec.kind === "boolean" ? "" : ` <${spec.placeholder}>`;
    const option = new Option(`${spec.flag}${value}`, helpText(spec));
    if (spec.kind !== "boolean") {
      option.argParser((word: string, all: string[] | undefined) => [...(all ?? []), word]);
    }
    option.attributeName = () => spec.key;
    commander.addOption(option);
  }
  return commander;
}

function helpText(spec: OptionSpec): string {
  const notes = [
    spec.required ? "required" : "",
    spec.repeatable ? "repeatable" : "",
    spec.defaultValue === undefined || spec.defaultValue === false ||
      (Array.isArray(spec.defaultValue) && spec.defaultValue.length === 0)
      ? ""
      : `default ${JSON.stringify(spec.defaultValue)}`,
    spec.env.length === 0 ? "" : `environment ${spec.env.join(", ")}`,
  ].filter((note) => note !== "");
  return notes.length === 0 ? spec.description : `${spec.description} (${notes.join(", ")})`;
}

function commandHelp(command: Command): string {
  const specs = optionSpecs(command);
  const help = toCommander(command, specs).helpInformation().trimEnd();
  const secrets = specs.filter(({ secret }) => secret)
    .map(({ flag, description }) => `  ${flag}\n      ${description}`);
  const examples = (command.examples ?? []).map((line) => `  serin ${line}`);
  return [
    help,
    ...(secrets.length === 0 ? [] : ["", "Environment only, never flags:", ...secrets]),
    ...(examples.length === 0 ? [] : ["", "Examples:", ...examples]),
  ].join("\n");
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`);
  return [
    `serin ${VERSION}: train, track, serve, roll out and watch models, in one file`,
    "",
    "Usage: serin COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...lines,
    "",
    "`serin COMMAND --help` shows a command's options; `serin demo` shows what it does.",
  ].join("\n");
}
