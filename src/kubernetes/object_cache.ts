import { backoffMs, type Random, SerinError, SystemRandom } from "../core/mod.ts";
import type { KubernetesClient } from "./kubernetes_client.ts";
import type { KindReference, KubernetesObject } from "./kubernetes_object.ts";
import { type Sleep, systemSleep } from "./sleep.ts";

const RETRY = { firstMs: 1000, capMs: 30_000 };

/** How an {@linkcode ObjectCache} is kept. */
export interface ObjectCacheOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told after each change, also of its problem. */
  readonly onChange?: () => void;
  readonly random?: Random;
  readonly sleep?: Sleep;
}

/** All objects of a kind as the server last told them; kept up to date by a watch. */
export class ObjectCache {
  readonly #client: KubernetesClient;
  readonly #kind: KindReference;
  readonly #options: ObjectCacheOptions;
  #objects = new Map<string, KubernetesObject>();
  #listed = false;
  #problem: SerinError | undefined;

  constructor(client: KubernetesClient, kind: KindReference, options: ObjectCacheOptions) {
    this.#client = client;
    this.#kind = kind;
    this.#options = options;
  }

  /** @returns what is there, in no order; of a moment ago */
  objects(): readonly KubernetesObject[] {
    return [...this.#objects.values()];
  }

  /** @returns whether it was complete once: before, what is missing means nothing */
  isListed(): boolean {
    return this.#listed;
  }

  /** @returns why it is not kept up to date: no right to, or no such kind; undefined where it is */
  problem(): SerinError | undefined {
    return this.#problem;
  }

  /** Keeps it until the signal ends it. What only others can heal is tried again and again. */
  async run(): Promise<void> {
    const { signal, random = new SystemRandom(), sleep = systemSleep } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#follow(() => failures = 0);
      } catch (thrown) {
        if (!(thrown instanceof SerinError)) throw thrown;
        this.#problem = thrown;
        this.#options.onChange?.();
      }
      failures++;
      await sleep(backoffMs(failures, random, RETRY), signal);
    }
  }

  async #follow(onListed: () => void): Promise<void> {
    const { signal, onChange } = this.#options;
    // What was there before stays visible until the new list is complete.
    const objects = new Map<string, KubernetesObject>();
    const options = {
      signal,
      onListed: () => {
        this.#objects = objects;
        this.#listed = true;
        this.#problem = undefined;
        onListed();
        onChange?.();
      },
    };
    for await (const { type, object } of this.#client.watch(this.#kind, options)) {
      const { namespace = "", name } = object.metadata, key = `${namespace}/${name}`;
      if (type !== "DELETED") objects.set(key, object);
      // A name may have a new object by now.
      else if (objects.get(key)?.metadata.uid === object.metadata.uid) objects.delete(key);
      if (this.#objects === objects) onChange?.();
    }
  }
}
