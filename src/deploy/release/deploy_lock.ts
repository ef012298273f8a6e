import { type Clock, formatDuration, type Random, SerinError } from "../../core/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../../kubernetes/mod.ts";
import { numberAt, textAt, timeAt } from "./object_fields.ts";

/** The Lease that whoever changes a release holds. */
export const LOCK_NAME = "serin-deploy";

/** A holder that says nothing for this long is gone. */
const DURATION_SECONDS = 30;
const RENEW_MS = 10_000;

/** The right to change a namespace's release: one at a time. */
export interface DeployLock {
  /**
   * Renews the Lease when it is time to.
   *
   * @throws {SerinError} `conflict` where somebody else took it: this process slept for too long
   */
  renew(): Promise<void>;
  /** Gives it back. */
  release(): Promise<void>;
}

/**
 * Takes the Lease `serin-deploy` of a namespace, or says who has it.
 *
 * @param options.by the user, for whoever comes second
 * @throws {SerinError} `conflict` where another holds it
 */
export async function takeDeployLock(
  client: KubernetesClient,
  options: { namespace: string; by: string; clock: Clock; random: Random },
): Promise<DeployLock> {
  const { namespace, by, clock, random } = options;
  const ref = { apiVersion: LEASE, kind: "Lease", namespace, name: LOCK_NAME };
  const identity = `${by} (${random.bytes(6).toHex()})`;
  let held = await take(client, await client.get(ref), { namespace, identity, now: clock.now() });
  let renewedAt = clock.monotonic();
  return {
    renew: async () => {
      if (clock.monotonic() - renewedAt < RENEW_MS) return;
      const live = await client.get(ref);
      if (live === undefined || holderOf(live) !== identity) throw taken(live, clock.now());
      held = await client.replace(leaseOf(live, namespace, identity, clock.now()));
      renewedAt = clock.monotonic();
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

async function take(
  client: KubernetesClient,
  live: KubernetesObject | undefined,
  { namespace, identity, now }: { namespace: string; identity: string; now: number },
): Promise<KubernetesObject> {
  if (live !== undefined && isHeld(live, now)) throw taken(live, now);
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

function isHeld(lease: KubernetesObject, now: number): boolean {
  const renewed = timeAt(lease, "spec", "renewTime") ?? 0;
  const seconds = numberAt(lease, "spec", "leaseDurationSeconds") ?? DURATION_SECONDS;
  return holderOf(lease) !== "" && now - renewed < seconds * 1000;
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
