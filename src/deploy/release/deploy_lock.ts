import { type Clock, formatDuration, type Random, SerinError } from "../../core/mod.ts";
import type { KubernetesClient, KubernetesObject, ObjectReference } from "../../kubernetes/mod.ts";
import { numberAt, textAt, timeAt } from "./object_fields.ts";

/** The Lease that whoever changes a release holds. */
export const LOCK_NAME = "serin-deploy";

/** A holder that says nothing for this long is gone. */
const DURATION_SECONDS = 30;
const RENEW_MS = 10_000;

/** A holder that works renews more often than this. */
const OBSERVED_MS = 15_000;

/** The right to change a namespace's release: one at a time. */
export interface DeployLock {
  /**
   * Renews the Lease when it is time to; an API server that cannot for a moment is asked again.
   *
   * @throws {SerinError} `conflict` where somebody else took it: this process slept for too long;
   *   `unavailable`, `timeout` where it could not be renewed for as long as it lasts
   */
  renew(): Promise<void>;
  /** Gives it back. */
  release(): Promise<void>;
}

/** How a {@linkcode DeployLock} is taken. */
export interface LockOptions {
  readonly namespace: string;
  /** The user, for whoever comes second. */
  readonly by: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Waits while a Lease that looks abandoned is looked at. */
  readonly observe: (holder: string, milliseconds: number) => Promise<void>;
}

/**
 * Takes the Lease `serin-deploy` of a namespace, or says who has it. One that looks abandoned is
 * watched for a while first: the clock of its holder may go wrong, or this one's.
 *
 * @throws {SerinError} `conflict` where another holds it
 */
export async function takeDeployLock(
  client: KubernetesClient,
  options: LockOptions,
): Promise<DeployLock> {
  const { namespace, by, clock, random } = options;
  const ref = { apiVersion: LEASE, kind: "Lease", namespace, name: LOCK_NAME };
  const identity = `${by} (${random.bytes(6).toHex()})`;
  const free = await findFree(client, ref, options);
  let held = await take(client, free, { namespace, identity, now: clock.now() });
  let renewedAt = clock.monotonic();
  const renew = async () => {
    const live = await client.get(ref), sentAt = clock.monotonic();
    if (live === undefined || holderOf(live) !== identity) throw taken(live, clock.now());
    held = await client.replace(leaseOf(live, namespace, identity, clock.now()));
    renewedAt = sentAt;
  };
  return {
    renew: async () => {
      if (clock.monotonic() - renewedAt < RENEW_MS) return;
      try {
        await renew();
      } catch (thrown) {
        const isHeld = clock.monotonic() - renewedAt < DURATION_SECONDS * 1000;
        if (!isHeld || !(thrown instanceof SerinError) || !thrown.retriable) throw thrown;
      }
    },
    release: async () => {
      const { uid } = held.metadata;
      const live = await client.get(ref);
      if (live === undefined || holderOf(live) !== identity) return;
      const { resourceVersion } = live.metadata;
      await client.delete(ref, {
        preconditions: {
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
      });
    },
  };
}

const LEASE = "coordination.k8s.io/v1";

/** @returns the Lease as it is, undefined where there is none; nobody holds it */
async function findFree(
  client: KubernetesClient,
  ref: ObjectReference,
  { clock, observe }: LockOptions,
): Promise<KubernetesObject | undefined> {
  const live = await client.get(ref);
  if (live === undefined || holderOf(live) === "") return live;
  const renewed = timeAt(live, "spec", "renewTime") ?? 0;
  const seconds = numberAt(live, "spec", "leaseDurationSeconds") ?? DURATION_SECONDS;
  if (Math.abs(clock.now() - renewed) < seconds * 1000) throw taken(live, clock.now());
  await observe(holderOf(live), OBSERVED_MS);
  const later = await client.get(ref);
  const isSame = later?.metadata.resourceVersion === live.metadata.resourceVersion;
  if (later !== undefined && !isSame) throw taken(later, clock.now());
  return later;
}

async function take(
  client: KubernetesClient,
  live: KubernetesObject | undefined,
  { namespace, identity, now }: { namespace: string; identity: string; now: number },
): Promise<KubernetesObject> {
  const wanted = leaseOf(live, namespace, identity, now);
  try {
    return live === undefined ? await client.create(wanted) : await client.replace(wanted);
  } catch (thrown) {
    const lost = thrown instanceof SerinError &&
      ["already_exists", "conflict", "not_found"].includes(thrown.code);
    // A missing namespace is not a race: its error says so by itself.
    if (!lost || (live === undefined && thrown.code === "not_found")) throw thrown;
    throw taken(undefined, now);
  }
}

function leaseOf(
  live: KubernetesObject | undefined,
  namespace: string,
  identity: string,
  now: number,
): KubernetesObject {
  const time = new Date(now).toISOString().replace("Z", "000Z");
  const isSame = live !== undefined && holderOf(live) === identity;
  return {
    apiVersion: LEASE,
    kind: "Lease",
    metadata: live?.metadata ?? {
      name: LOCK_NAME,
      namespace,
      labels: { "app.kubernetes.io/name": "serin", "app.kubernetes.io/part-of": "serin" },
    },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      acquireTime: isSame ? textAt(live, "spec", "acquireTime") ?? time : time,
      renewTime: time,
    },
  };
}

function holderOf(lease: KubernetesObject): string {
  return textAt(lease, "spec", "holderIdentity") ?? "";
}

function taken(lease: KubernetesObject | undefined, now: number): SerinError {
  const holder = lease === undefined ? "somebody else" : holderOf(lease);
  const since = lease === undefined ? undefined : timeAt(lease, "spec", "acquireTime");
  const ago = since === undefined ? "" : `, for ${formatDuration(Math.max(0, now - since))}`;
  return new SerinError(
    "conflict",
    `Another \`serin deploy\` is under way in this namespace: ${holder} holds the Lease ` +
      `${LOCK_NAME}${ago}`,
    { hint: `wait for it; if it was killed, the Lease is free ${DURATION_SECONDS} s later` },
  );
}
