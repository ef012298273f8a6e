import { type Clock, didYouMean, type Log } from "../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../kubernetes/mod.ts";
import { eachOf } from "./each_of.ts";
import { CONTROLLER, KEYS } from "./labels.ts";
import { isSameJson } from "./object_difference.ts";
import type { RegistryModel } from "./registry_port.ts";
import {
  modelsByDeployment,
  modelsOfArgs,
  type RemovalDelays,
  RemovalGuard,
  toArgs,
} from "./serving_args.ts";

/** What {@linkcode DeploymentArgs} stand on. */
export interface DeploymentArgsOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly log: Log;
  /** The Deployment of models without the tag `serin.serving`. */
  readonly deployment: string;
  /** Default 5 s, and 60 s for the last models. */
  readonly delays?: RemovalDelays;
}

const EMPTY_REGISTRY = "served on, for it has no model at all, as one that lost its data; if " +
  "that is meant, take --model out of the Deployment's args";

/** The one container whose arguments are set. */
const CONTAINER = "serin";

/**
 * Sets the arguments of Deployments that say `serin.dev/models: registry` to the models that the
 * registry wants served there. It is only called with an answer of the registry, never without one.
 */
export class DeploymentArgs {
  readonly #options: DeploymentArgsOptions;
  readonly #guards = new Map<string, RemovalGuard>();
  readonly #said = new Map<string, string>();

  constructor(options: DeploymentArgsOptions) {
    this.#options = options;
  }

  /**
   * @param models all that the registry has
   * @param live Deployments of the namespace
   * @throws the first failure, when all Deployments have been tried
   */
  async reconcile(
    models: readonly RegistryModel[],
    live: readonly KubernetesObject[],
  ): Promise<void> {
    const wanted = modelsByDeployment(models, this.#options.deployment);
    const obedient = live.filter(({ metadata }) =>
      metadata.annotations?.[KEYS.models] === "registry"
    );
    this.#sayMissing(wanted, live, obedient);
    // No model at all, not even one without a champion: as a rule its volume is lost.
    const isEmpty = models.length === 0;
    if (isEmpty) this.interrupted();
    await eachOf(
      obedient.map((object) => () =>
        this.#set(object, wanted.get(object.metadata.name) ?? [], isEmpty)
      ),
    );
  }

  /** The registry did not answer: nothing that was missing counts as confirmed. */
  interrupted(): void {
    for (const guard of this.#guards.values()) guard.reset();
  }

  async #set(
    object: KubernetesObject,
    wanted: readonly string[],
    isRegistryEmpty: boolean,
  ): Promise<void> {
    const { client, clock, log } = this.#options, { name, namespace, uid } = object.metadata;
    const container = containersOf(object).find((one) => one.name === CONTAINER);
    if (container === undefined) {
      const why = `it has no container named ${CONTAINER}`;
      this.#say(name, `Deployment ${name} is annotated for the controller, but ${why}`);
      return;
    }
    this.#say(name, "");
    const args = container.args ?? [], served = modelsOfArgs(args);
    if (isRegistryEmpty) return this.#sayHeld(name, served, EMPTY_REGISTRY);
    const guard = this.#guardOf(name);
    const { models, held } = guard.confirm(served, wanted, clock.monotonic());
    this.#sayHeld(name, held, "served on until that is confirmed");
    const next = toArgs(models);
    if (isSameJson(args, next)) return;
    await client.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        // With it, a Deployment that is gone is not made anew.
        ...(uid === undefined ? {} : { uid }),
      },
      spec: { template: { spec: { containers: [{ name: CONTAINER, args: next }] } } },
    }, { fieldManager: CONTROLLER, force: true });
    log.info(`Deployment ${name} is told what to serve`, { models });
  }

  #guardOf(name: string): RemovalGuard {
    const { delays = { someMs: 5000, allMs: 60_000 } } = this.#options;
    const guard = this.#guards.get(name) ?? new RemovalGuard(delays);
    this.#guards.set(name, guard);
    return guard;
  }

  #sayHeld(name: string, held: readonly string[], until: string): void {
    const problem = held.length === 0
      ? ""
      : `the registry names ${held.join(", ")} no more: ${until}`;
    this.#say(`${name} held`, problem);
  }

  #sayMissing(
    wanted: ReadonlyMap<string, readonly string[]>,
    live: readonly KubernetesObject[],
    obedient: readonly KubernetesObject[],
  ): void {
    const names = obedient.map(({ metadata }) => metadata.name);
    const problems = [...wanted].filter(([name]) => !names.includes(name)).map(([name, uris]) => {
      const isThere = live.some(({ metadata }) => metadata.name === name);
      const why = isThere
        ? `it has no annotation ${KEYS.models}: registry`
        : `there is none${hint(didYouMean(name, names))}`;
      return `Deployment ${name} should serve ${uris.join(", ")}, but ${why}`;
    });
    this.#say("deployments", problems.join("; "));
  }

  /** Once for each change. */
  #say(about: string, problem: string): void {
    const before = this.#said.get(about) ?? "";
    this.#said.set(about, problem);
    if (problem !== "" && problem !== before) this.#options.log.warn(problem);
  }
}

function hint(meant: string | undefined): string {
  return meant === undefined ? "" : ` (${meant})`;
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
}

function containersOf(object: KubernetesObject): readonly Container[] {
  const spec = object.spec as
    | { template?: { spec?: { containers?: readonly Container[] } } }
    | undefined;
  return spec?.template?.spec?.containers ?? [];
}
