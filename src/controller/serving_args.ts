import { KEYS } from "./labels.ts";
import type { RegistryModel } from "./registry_port.ts";

const CHAMPION = "champion";
const NOWHERE = "none";

/**
 * @returns Deployment → the models that it serves, as `--model` wants them, sorted. Which version an
 *   alias names is the replicas' business: they follow it.
 *
 * @param fallback the Deployment of models without the tag `serin.serving`
 */
export function modelsByDeployment(
  models: readonly RegistryModel[],
  fallback: string,
): ReadonlyMap<string, readonly string[]> {
  const chosen = new Map<string, string[]>();
  for (const { name, aliases, tags } of models) {
    const deployment = tags[KEYS.servingTag]?.trim() || fallback;
    if (!Object.hasOwn(aliases, CHAMPION) || deployment === NOWHERE) continue;
    const uris = chosen.get(deployment) ?? [];
    // Also keeps Kubernetes from reading $(…) in it.
    uris.push(`models:/${encodeURIComponent(name)}@${CHAMPION}`);
    chosen.set(deployment, uris);
  }
  for (const uris of chosen.values()) uris.sort();
  return chosen;
}

/** @returns the container's arguments, e.g. `["--model", "models:/iris@champion"]` */
export function toArgs(uris: readonly string[]): string[] {
  return uris.flatMap((uri) => ["--model", uri]);
}

/** @returns the models that arguments name; what else stands there is nobody's */
export function modelsOfArgs(args: readonly string[]): string[] {
  return args.filter((arg, i) => i > 0 && args[i - 1] === "--model" && arg.startsWith("models:/"));
}

/** How long a model must be missing from every answer before it leaves. */
export interface RemovalDelays {
  /** Some models are still there. Lists come in pages: a single answer may miss one. */
  readonly someMs: number;
  /** Nothing would be left: as a rule a wrong registry, not somebody's wish. */
  readonly allMs: number;
}

/** Holds removals back until they are confirmed; additions are never held. */
export class RemovalGuard {
  readonly #delays: RemovalDelays;
  /** Model → when it was first missing, monotonic milliseconds. */
  readonly #missing = new Map<string, number>();

  constructor(delays: RemovalDelays) {
    this.#delays = delays;
  }

  /**
   * @param served what is served now
   * @param wanted what the registry just answered
   * @param nowMs monotonic
   */
  confirm(
    served: readonly string[],
    wanted: readonly string[],
    nowMs: number,
  ): { readonly models: readonly string[]; readonly held: readonly string[] } {
    const gone = served.filter((uri) => !wanted.includes(uri));
    for (const uri of [...this.#missing.keys()]) if (!gone.includes(uri)) this.#missing.delete(uri);
    for (const uri of gone) if (!this.#missing.has(uri)) this.#missing.set(uri, nowMs);
    const delay = wanted.length === 0 ? this.#delays.allMs : this.#delays.someMs;
    const held = gone.filter((uri) => nowMs - this.#missing.get(uri)! < delay);
    return { models: [...new Set([...wanted, ...held])].sort(), held };
  }

  /** The registry did not answer: what was missing before may be there. */
  reset(): void {
    this.#missing.clear();
  }
}
