import { type Log, SerinError } from "../core/mod.ts";
import type {
  LabelsAnswer,
  LabelsRequest,
  SyncAnswer,
  SyncPeer,
  SyncRequest,
} from "../rollout/sync.ts";

/**
 * Syncs with a remote registry, or, where that is a plain MLflow server without the sync (404),
 * decides in this process from then on. That holds for one replica, and is said once. A server that
 * has answered a sync is no plain MLflow server: 404 is then a proxy's word while its registry is
 * away, and deciding here would make two that decide.
 */
export class FallbackPeer implements SyncPeer {
  readonly #remote: SyncPeer;
  readonly #openLocal: () => Promise<SyncPeer>;
  readonly #log: Log;
  #local: SyncPeer | undefined;
  #answered = false;

  constructor(remote: SyncPeer, openLocal: () => Promise<SyncPeer>, log: Log) {
    this.#remote = remote;
    this.#openLocal = openLocal;
    this.#log = log;
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    if (this.#local !== undefined) return await this.#local.sync(request);
    try {
      const answer = await this.#remote.sync(request);
      this.#answered = true;
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.code !== "not_found") throw thrown;
      if (this.#answered) {
        throw new SerinError("unavailable", thrown.message, {
          hint: "the registry has answered before: look at what stands between",
          cause: thrown,
        });
      }
      this.#log.warn(
        "the registry is a plain MLflow server: rollouts are decided in this process",
        {
          holdsFor: "one replica",
        },
      );
      this.#local = await this.#openLocal();
      return await this.#local.sync(request);
    }
  }

  labels(request: LabelsRequest, body?: Uint8Array<ArrayBuffer>): Promise<LabelsAnswer> {
    return (this.#local ?? this.#remote).labels(request, body);
  }
}
