/**
 * Expressions of GitHub Actions, as far as the workflows here use them: paths, strings, `==`, `!=`, `&&`,
 * `||`, `!`, brackets, and the functions that ask how the job goes. Anything else is an error, so that a
 * test never passes by a condition that was not understood.
 */

/** What an expression can name. */
export interface Contexts {
  readonly [name: string]: unknown;
}

const TOKEN = /\s*(==|!=|&&|\|\||[()!]|'(?:[^']|'')*'|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)/y;

/** Whether a job is run when nothing is said of how the jobs before it ended. */
const STATUS = /\b(always|failure|success|cancelled)\s*\(/;

/** @returns the value of an expression, e.g. `inputs.action != 'rollback'` */
export function evaluate(text: string, contexts: Contexts): unknown {
  const tokens = tokenize(text);
  let at = 0;
  const take = (token: string) => tokens[at] === token && (at++, true);
  const either = (): unknown => {
    let value = both();
    while (take("||")) {
      const right = both();
      value = truthy(value) ? value : right;
    }
    return value;
  };
  const both = (): unknown => {
    let value = equal();
    while (take("&&")) {
      const right = equal();
      value = truthy(value) ? right : value;
    }
    return value;
  };
  const equal = (): unknown => {
    const left = operand();
    if (take("==")) return same(left, operand());
    if (take("!=")) return !same(left, operand());
    return left;
  };
  const operand = (): unknown => {
    if (take("!")) return !truthy(operand());
    if (take("(")) {
      const value = either();
      if (!take(")")) throw new Error(`${text}: ) is missing`);
      return value;
    }
    const token = tokens[at++];
    if (token === undefined) throw new Error(`${text}: ends too early`);
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (take("(")) {
      if (!take(")")) throw new Error(`${text}: ${token}() takes no argument here`);
      const call = contexts[`${token}()`];
      if (call === undefined) throw new Error(`${text}: there is no function ${token}`);
      return call;
    }
    return lookUp(token, contexts, text);
  };
  const value = either();
  if (at < tokens.length) throw new Error(`${text}: ${tokens[at]} is not expected`);
  return value;
}

/** Replaces every `${{ … }}` of a text. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, inner) => {
    const value = evaluate(inner.trim(), contexts);
    return value === undefined || value === null ? "" : String(value);
  });
}

/** @returns whether a job or step is run; without a status function it wants success so far */
export function holds(condition: string | undefined, contexts: Contexts): boolean {
  if (condition === undefined) return truthy(contexts["success()"]);
  const value = truthy(evaluate(condition, contexts));
  return STATUS.test(condition) ? value : value && truthy(contexts["success()"]);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const from = TOKEN.lastIndex, found = TOKEN.exec(text);
    if (found === null) throw new Error(`${text}: cannot be read from ${from} on`);
    tokens.push(found[1]);
  }
  return tokens;
}

/** A missing property is null; a missing context is a mistake. */
function lookUp(path: string, contexts: Contexts, text: string): unknown {
  const [first, ...rest] = path.split(".");
  if (!(first in contexts)) throw new Error(`${text}: there is no context ${first}`);
  return rest.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | null | undefined)?.[key] ?? null,
    contexts[first],
  );
}

function truthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== "" && value !== 0;
}

/** Missing and empty are equal, as GitHub has it: both are 0 where types differ. */
function same(left: unknown, right: unknown): boolean {
  return (left ?? "") === (right ?? "");
}
