import type { VersionStage } from "./validation.ts";

/** A key and its text. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** One version of a registered model. Times are milliseconds since the epoch. */
export interface ModelVersion {
  readonly name: string;
  /** A number, as text. */
  readonly version: string;
  /** Undefined where it was never given or was taken away. */
  readonly description: string | undefined;
  /** Where its files are, as it was registered. */
  readonly source: string;
  /** Empty where it came from no run. */
  readonly runId: string;
  readonly runLink: string;
  /** The logged model that it was made from; empty where there is none. */
  readonly modelId: string;
  readonly stage: VersionStage;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly string[];
}

/** A name under which versions are registered. */
export interface RegisteredModel {
  readonly name: string;
  readonly description: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly KeyValue[];
  /** Alias → version. */
  readonly aliases: readonly { readonly alias: string; readonly version: string }[];
  /** The newest version of each stage. */
  readonly latestVersions: readonly ModelVersion[];
}

/** The tag by which MLflow tells a prompt from a model. */
export const PROMPT_TAG = "mlflow.prompt.is_prompt";

/** @returns whether the tags say that it is a prompt; the last of equal keys counts */
export function isPrompt(tags: readonly KeyValue[]): boolean {
  const value = tags.findLast(({ key }) => key === PROMPT_TAG)?.value;
  return value?.toLowerCase() === "true";
}
