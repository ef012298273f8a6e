import { SerinError } from "../core/mod.ts";
import type {
  Assignment,
  LabelsAnswer,
  LabelsRequest,
  SyncAnswer,
  SyncPeer,
  SyncRequest,
} from "../rollout/sync.ts";

/** A registry that says what a test wants said, and remembers what it was told. */
export class FakePeer implements SyncPeer {
  readonly requests: SyncRequest[] = [];
  readonly labelled: LabelsRequest[] = [];
  stable: string | null = "1";
  hold = ["1"];
  assignment: Assignment | null = null;
  reachable = true;
  /** Syncs that were tried. */
  attempts = 0;

  sync(request: SyncRequest): Promise<SyncAnswer> {
    this.attempts++;
    if (!this.reachable) {
      return Promise.reject(new SerinError("unavailable", "The registry does not answer"));
    }
    this.requests.push(structuredClone(request));
    const { stable, hold, assignment } = this;
    return Promise.resolve({
      acknowledged: request.sequence,
      models: request.models.map(({ model, alias }) => ({
        model,
        alias,
        stable,
        hold,
        assignment,
      })),
      tokenKeys: [{ id: "test", key: btoa("0123456789abcdef0123456789abcdef") }],
      intervalMs: 50,
    });
  }

  labels(request: LabelsRequest): Promise<LabelsAnswer> {
    this.labelled.push(request);
    return Promise.resolve({ accepted: request.labels.length, refused: [] });
  }

  /** Totals of an arm, as last told. */
  totals(arm: "stable" | "canary"): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const count of this.requests.at(-1)?.counts ?? []) {
      if (count.arm !== arm) continue;
      for (const [name, n] of Object.entries(count.totals)) totals[name] = (totals[name] ?? 0) + n;
    }
    return totals;
  }
}
