import { LIMITS, messageOf, type Random, SerinError } from "../../core/mod.ts";
import {
  describeReference,
  type KubernetesClient,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { type DeployLock, takeDeployLock } from "./deploy_lock.ts";
import { describeUnhealthy, type HealthWait, waitUntilHealthy } from "./health_watch.ts";
import { inOrder, isFoundation } from "./kind_order.ts";
import { autoscalerHealth, definitionHealth } from "./object_health.ts";
import { checkPlan, FIELD_MANAGER, type PlannedObject, planObjects } from "./release_plan.ts";
import { digestOf, type NewRelease, type Release } from "./release_record.ts";
import { openReleaseStore, type ReleaseStore } from "./release_store.ts";
import { ensureTokens } from "./tokens_secret.ts";
import { waitFor, type Waiting, whileUnavailable } from "./waiting.ts";
import { describeHealth } from "./workload_health.ts";

const WORKLOADS: ReadonlySet<string> = new Set(["Deployment", "StatefulSet"]);
const ESTABLISHED_LOOK_MS = 200;
/** Who applies is worth knowing, not worth waiting for. */
const WHO_AM_I_MS = 5000;

/** What is to be applied. */
export interface ReleaseRequest extends Omit<NewRelease, "number" | "time"> {
  /** Takes fields over that others manage. */
  readonly force: boolean;
  /** How long it may take until everything is healthy, milliseconds. */
  readonly timeoutMs: number;
  /** Called when everything is known to be acceptable and nothing is written yet; may refuse. */
  readonly beforeWrite?: () => Promise<void>;
}

/** What an apply needs of the outside. */
export interface ReleaseContext extends Omit<Waiting, "onTurn"> {
  readonly client: KubernetesClient;
  readonly random: Random;
}

/** What an apply did. */
export interface AppliedRelease {
  readonly number: number;
  /** Whether it differs from the release before; otherwise that one stands. */
  readonly isNew: boolean;
  readonly plan: readonly PlannedObject[];
  /** `interrupted`: it stands, but was not waited for. */
  readonly end: "healthy" | "interrupted";
  /** What works less well than it should, e.g. an autoscaler without metrics. */
  readonly warnings: readonly string[];
}

/**
 * Applies a release: everything is checked by dry run first, so that a wrong object leaves the cluster
 * as it was; then namespace and definitions, the tokens, the record, the rest; waits until workloads
 * are healthy; removes what earlier releases had and this one has not.
 *
 * @throws {SerinError} `invalid_input` (objects are refused; nothing was written),
 *   `conflict` (another is under way), `not_ready`, `timeout` (applied, but not healthy: the message
 *   says what state it left, the hint how to go back)
 */
export async function applyRelease(
  request: ReleaseRequest,
  context: ReleaseContext,
): Promise<AppliedRelease> {
  const { client, clock } = context, { namespace } = request;
  const deadline = clock.monotonic() + request.timeoutMs;
  const isThere = await client.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
  if (isThere?.metadata.deletionTimestamp !== undefined) {
    throw new SerinError(
      "not_ready",
      `Nothing was applied: namespace ${namespace} is being deleted`,
      {
        hint: `apply again when \`kubectl get namespace ${namespace}\` finds it no more`,
      },
    );
  }
  const lockOptions = {
    namespace,
    by: request.by,
    clock,
    random: context.random,
    observe: (holder: string, milliseconds: number) => observe(context, holder, milliseconds),
  };
  let lock: DeployLock | undefined;
  const onTurn = async () => await lock?.renew();
  try {
    if (isThere !== undefined) lock = await takeDeployLock(client, lockOptions);
    const store = openReleaseStore(client, namespace);
    const released = isThere === undefined ? [] : await store.allObjects();
    const plan = await planObjects(client, { ...request, released });
    checkPlan(plan);
    await request.beforeWrite?.();
    if (context.signal.aborted) throw interrupted();
    // All of that took its time: somebody may have taken this process for dead.
    await onTurn();
    const waiting = { ...context, onTurn };
    await applyFoundations(request, waiting, deadline);
    lock ??= await takeDeployLock(client, lockOptions);
    return await new ReleaseRun(request, { ...context, waiting, store, deadline }, plan).run();
  } finally {
    await lock?.release().catch((thrown) => {
      context.report.say(`the Lease is free by itself in a while: ${messageOf(thrown)}`);
    });
  }
}

async function observe(
  { sleep, signal, report }: ReleaseContext,
  holder: string,
  milliseconds: number,
): Promise<void> {
  report.say(
    `${holder} holds the Lease serin-deploy and seems to be gone: it is watched for a while`,
  );
  await sleep(milliseconds, signal);
  if (signal.aborted) throw interrupted();
}

function interrupted(): SerinError {
  return new SerinError("not_ready", "Interrupted: nothing was applied");
}

/** Namespace and definitions, which the rest needs: written, and waited for until they work. */
async function applyFoundations(
  { objects, force }: ReleaseRequest,
  { client, ...waiting }: Waiting & { readonly client: KubernetesClient },
  deadline: number,
): Promise<void> {
  const foundations = inOrder(objects).filter(isFoundation);
  for (const object of foundations) {
    await client.apply(object, { fieldManager: FIELD_MANAGER, force });
  }
  const definitions = foundations.filter(({ kind }) => kind === "CustomResourceDefinition");
  let missing: string[] = [];
  const end = await waitFor(waiting, deadline, ESTABLISHED_LOOK_MS, async () => {
    const seen = await Promise.all(definitions.map((object) => client.get(referenceOf(object))));
    const states = seen.map((object) =>
      object === undefined ? undefined : definitionHealth(object)
    );
    missing = definitions.flatMap((object, i) =>
      states[i]?.state === "healthy"
        ? []
        : [`${object.metadata.name}: ${states[i]?.message ?? "it is not there"}`]
    );
    if (states.some((health) => health?.state === "failed")) return "failed";
    return missing.length === 0 ? "done" : "waiting";
  });
  if (end === "done") return;
  throw new SerinError(
    end === "timeout" ? "timeout" : "not_ready",
    `Only namespace and definitions were applied, the rest was not: ${missing.join("; ")}`,
    { hint: "apply again once they are established; nothing else was changed" },
  );
}

interface RunContext extends ReleaseContext {
  readonly waiting: Waiting;
  readonly store: ReleaseStore;
  readonly deadline: number;
}

/** One apply from its first real write on. */
class ReleaseRun {
  readonly #request: ReleaseRequest;
  readonly #context: RunContext;
  readonly #plan: readonly PlannedObject[];

  constructor(request: ReleaseRequest, context: RunContext, plan: readonly PlannedObject[]) {
    this.#request = request;
    this.#context = context;
    this.#plan = plan;
  }

  async run(): Promise<AppliedRelease> {
    const { store } = this.#context, { namespace } = this.#request;
    const before = await store.list();
    const newest = before[0];
    const isNew = newest?.digest !== digestOf(this.#request.objects);
    await this.#ensureTokens();
    const number = isNew ? await this.#record() : newest.number;
    try {
      await this.#write(number);
      const wait = await this.#wait();
      if (wait.end === "interrupted") {
        await store.finish(number, "interrupted");
        return { number, isNew, plan: this.#plan, end: "interrupted", warnings: [] };
      }
      if (wait.end !== "done") throw this.#unhealthy(number, wait);
      await this.#prune();
      await store.finish(number, "healthy");
      await store.trim();
      return { number, isNew, plan: this.#plan, end: "healthy", warnings: await this.#warnings() };
    } catch (thrown) {
      await store.finish(number, "failed").catch(() => {});
      throw withWayBack(thrown, before, { number, namespace });
    }
  }

  async #ensureTokens(): Promise<void> {
    const { report, client, random } = this.#context;
    const { action, keys } = await ensureTokens(client, this.#request, random);
    if (action === "create") report.say("Secret serin-tokens was made with random tokens");
    if (action !== "change") return;
    report.say(
      `Secret serin-tokens got a random ${keys.join(" and ")}; the rest of it is as it was`,
    );
  }

  async #record(): Promise<number> {
    const { objects, settings, overlay, serinVersion, by, cause } = this.#request;
    const { store, clock } = this.#context;
    const time = clock.now();
    return await store.add({ objects, settings, overlay, serinVersion, by, cause, time });
  }

  async #write(number: number): Promise<void> {
    const { client, waiting, deadline } = this.#context, { force } = this.#request;
    const objects = inOrder(this.#request.objects).filter((object) => !isFoundation(object));
    for (const [i, object] of objects.entries()) {
      try {
        await waiting.onTurn?.();
        const apply = () => client.apply(object, { fieldManager: FIELD_MANAGER, force });
        await whileUnavailable(waiting, deadline, apply);
      } catch (thrown) {
        const { code = "internal", hint } = thrown instanceof SerinError ? thrown : {};
        throw new SerinError(
          code,
          `Release ${number} was applied in part, ${i} of ${objects.length} objects, and not ` +
            `waited for: ${messageOf(thrown)}`,
          { cause: thrown, ...(hint === undefined ? {} : { hint }) },
        );
      }
    }
  }

  async #wait(): Promise<HealthWait> {
    const { client, waiting, deadline } = this.#context;
    const workloads = this.#request.objects.filter(({ kind }) => WORKLOADS.has(kind))
      .map(referenceOf);
    return await waitUntilHealthy(
      client,
      this.#request.namespace,
      workloads,
      waiting,
      deadline,
    );
  }

  #unhealthy(number: number, { end, reports }: HealthWait): SerinError {
    const late = end === "timeout" ? ` within ${this.#request.timeoutMs / 1000} s` : "";
    const removed = this.#removals().length === 0 ? "" : "; nothing was removed";
    return new SerinError(
      end === "timeout" ? "timeout" : "not_ready",
      `Release ${number} is applied, but not healthy${late}${removed}:` +
        describeUnhealthy(reports),
      {
        details: {
          release: number,
          unhealthy: reports.filter(({ health }) => health.state !== "healthy")
            .map(({ reference, health }) => ({ ...reference, message: describeHealth(health) })),
        },
      },
    );
  }

  #removals(): ObjectReference[] {
    return this.#plan.filter(({ action }) => action === "remove")
      .map(({ reference }) => reference);
  }

  async #prune(): Promise<void> {
    const { client, report, waiting } = this.#context;
    for (const reference of this.#removals()) {
      await waiting.onTurn?.();
      const was = await client.delete(reference, { propagation: "Background" });
      if (was) report.say(`${describeReference(reference)} was removed`);
    }
  }

  async #warnings(): Promise<string[]> {
    const { client } = this.#context;
    const scalers = this.#request.objects
      .filter(({ kind }) => kind === "HorizontalPodAutoscaler");
    const found = await Promise.all(scalers.map(async (scaler) => {
      const live = await client.get(referenceOf(scaler));
      // A first apply should tell of a cluster that has no metrics at all: nothing is only late.
      const health = live === undefined ? undefined : autoscalerHealth(live, { nowMs: Infinity });
      if (health?.state !== "failed") return [];
      return [`${describeReference(referenceOf(scaler))} does not scale yet: ${health.message}`];
    }));
    return found.flat();
  }
}

/** Says how to get back to a state that was healthy. */
function withWayBack(
  thrown: unknown,
  before: readonly Release[],
  { number, namespace }: { number: number; namespace: string },
): unknown {
  if (!(thrown instanceof SerinError)) return thrown;
  const last = before.find((release) => release.outcome === "healthy" && release.number !== number);
  const back = last === undefined
    ? `no release was healthy before: apply again with other settings, or \`kubectl delete ` +
      `namespace ${namespace}\` removes everything`
    : `\`serin deploy rollback --release ${last.number}\` goes back to release ${last.number}`;
  const { code, message, details, cause, hint } = thrown;
  return new SerinError(code, message, {
    hint: hint === undefined ? back : `${hint}; ${back}`,
    ...(details && { details }),
    cause,
  });
}

/**
 * The release that a rollback goes to.
 *
 * @param releases the newest first
 * @param wanted its number; without one: the newest healthy one that differs from the newest
 * @throws {SerinError} `not_found` where there is nothing to go back to
 */
export function findRollbackRelease(
  releases: readonly Release[],
  wanted: number | undefined,
): Release {
  const [newest] = releases;
  const listed = releases.map(({ number }) => number).join(", ");
  if (newest === undefined) {
    throw new SerinError(
      "not_found",
      "There is no release to go back to: nothing was applied yet",
      {
        hint: "`serin deploy apply` makes release 1",
      },
    );
  }
  const found = wanted === undefined
    ? releases.find(({ digest, outcome }) => digest !== newest.digest && outcome === "healthy")
    : releases.find(({ number }) => number === wanted);
  if (found !== undefined) return found;
  if (wanted !== undefined) {
    throw new SerinError("not_found", `There is no release ${wanted}`, {
      hint: `there are ${listed}; the newest ${LIMITS.releasesMax} are kept`,
    });
  }
  throw new SerinError(
    "not_found",
    `There is no healthy release before release ${newest.number} to go back to`,
    {
      hint: `there are ${listed}; \`serin deploy history\` says how they went, and ` +
        "`serin deploy rollback --release N` takes one by its number",
    },
  );
}

/** @returns who the API server takes this client for; `unknown` where it does not say */
export async function askWhoAmI(client: KubernetesClient): Promise<string> {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  try {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const response = await client.raw("POST", path, {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(review),
      signal: AbortSignal.timeout(WHO_AM_I_MS),
    });
    const answer = await response.json() as { status?: { userInfo?: { username?: unknown } } };
    const name = answer.status?.userInfo?.username;
    return typeof name === "string" && name !== "" ? name : "unknown";
  } catch {
    return "unknown";
  }
}
