import { formatDuration } from "../core/mod.ts";
import type { ModelRetraining } from "./retrain_spec.ts";

/** Why an alert starts no retraining, in the order in which it is asked. */
export const BRAKES = [
  "duplicate",
  "running",
  "no_champion",
  "rollout_running",
  "cool_down",
  "budget",
  "few_labels",
] as const;

/** A name of {@linkcode BRAKES}. */
export type BrakeName = typeof BRAKES[number];

/** What came of an alert. */
export type Decision = "accepted" | "pending" | BrakeName;

/** One brake with what was seen. */
export interface Brake {
  readonly brake: BrakeName;
  /** Whether it lets the retraining through. */
  readonly passed: boolean;
  /** What was seen and what is asked, one sentence without a period. */
  readonly text: string;
}

/** What the brakes look at. */
export interface BrakeState {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The retraining that answered these very alerts last; undefined where one of them is new. */
  readonly answeredBy: { readonly id: string; readonly endedMs: number | undefined } | undefined;
  /** The retraining of this model that has not ended. */
  readonly unended: { readonly id: string; readonly state: string } | undefined;
  /** When the last one ended, and when those of the last 24 hours began. */
  readonly lastEndedMs: number | undefined;
  readonly begunWithinDay: number;
  /** Versions that the aliases name. */
  readonly champion: string | undefined;
  readonly challenger: string | undefined;
  /** Labels that the registry has counted, now and when the last retraining began. */
  readonly labels: number;
  readonly labelsBefore: number | undefined;
}

/**
 * Asks every brake; all are told, the first that holds decides.
 *
 * @returns the decision, and what each brake saw
 */
export function askBrakes(
  spec: ModelRetraining,
  state: BrakeState,
): { decision: Decision; brakes: Brake[] } {
  const brakes = BRAKES.map((brake) => ({ brake, ...ASK[brake](spec, state) }));
  const held = brakes.find(({ passed }) => !passed);
  const go = spec.brakes.approval ? "pending" : "accepted";
  return { decision: held?.brake ?? go, brakes };
}

type Asked = Omit<Brake, "brake">;

const HOUR_MS = 3_600_000, MINUTE_MS = 60_000;

const ASK = {
  duplicate({ brakes: { same_alert_hours } }, { answeredBy, now }): Asked {
    if (answeredBy === undefined) return { passed: true, text: "no retraining has answered it" };
    const { id, endedMs } = answeredBy;
    if (endedMs === undefined) return { passed: false, text: `${id} is answering it` };
    const ago = now - endedMs;
    return {
      passed: ago >= same_alert_hours * HOUR_MS,
      text: `${id} answered it ${formatDuration(Math.max(0, ago))} ago; the same alert is left ` +
        `alone for ${same_alert_hours} h`,
    };
  },
  running(_spec, { unended }): Asked {
    if (unended === undefined) return { passed: true, text: "no other one is under way" };
    return { passed: false, text: `${unended.id} is under way (${unended.state})` };
  },
  no_champion({ champion: alias }, { champion }): Asked {
    if (champion !== undefined) return { passed: true, text: `${alias} is version ${champion}` };
    return { passed: false, text: `no version has the alias ${alias}: there is nothing to beat` };
  },
  rollout_running({ challenger: alias }, { challenger }): Asked {
    if (challenger === undefined) return { passed: true, text: `no version is ${alias}` };
    return { passed: false, text: `version ${challenger} is ${alias}: its rollout goes first` };
  },
  cool_down({ brakes: { cooldown_minutes } }, { lastEndedMs, now }): Asked {
    if (lastEndedMs === undefined) return { passed: true, text: "it is the first one" };
    const ago = Math.max(0, now - lastEndedMs);
    return {
      passed: ago >= cooldown_minutes * MINUTE_MS,
      text: `the last one ended ${formatDuration(ago)} ago, ${cooldown_minutes} min are to pass`,
    };
  },
  budget({ brakes: { budget_per_day } }, { begunWithinDay }): Asked {
    return {
      passed: begunWithinDay < budget_per_day,
      text: `${begunWithinDay} began within 24 h, at most ${budget_per_day} may`,
    };
  },
  few_labels({ brakes: { new_labels_min } }, { labels, labelsBefore }): Asked {
    // A registry that was set up anew counts from 0 again.
    const before = labelsBefore === undefined || labelsBefore > labels ? 0 : labelsBefore;
    return {
      passed: labels - before >= new_labels_min,
      text: `${labels - before} new labels, at least ${new_labels_min} are wanted`,
    };
  },
} satisfies Record<BrakeName, (spec: ModelRetraining, state: BrakeState) => Asked>;
