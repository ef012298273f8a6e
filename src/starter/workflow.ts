/** A step of a job: an action, or a command. */
export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly run?: string;
  readonly shell?: "bash";
  readonly env?: Readonly<Record<string, string>>;
}

/** A job of a {@linkcode Workflow}. */
export interface Job {
  readonly name: string;
  readonly if?: string;
  readonly needs?: readonly string[];
  readonly "runs-on": string;
  readonly "timeout-minutes": number;
  readonly environment?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** An input that is asked for where a workflow is started by hand. */
export interface DispatchInput {
  readonly description: string;
  readonly type: "choice" | "string";
  readonly options?: readonly string[];
  readonly default: string;
}

/** A workflow of GitHub Actions ("Workflow syntax for GitHub Actions"), as far as it is used here. */
export interface Workflow {
  readonly name: string;
  readonly on: {
    readonly push: { readonly branches: readonly string[]; readonly paths: readonly string[] };
    readonly workflow_dispatch: { readonly inputs: Readonly<Record<string, DispatchInput>> };
  };
  readonly permissions: Readonly<Record<string, "read" | "write">>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** A composite action ("Metadata syntax for GitHub Actions"), as far as it is used here. */
export interface CompositeAction {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly required: boolean }>
  >;
  readonly runs: { readonly using: "composite"; readonly steps: readonly Step[] };
}

/** Actions of GitHub's own, each at one released version. */
export const ACTIONS = {
  checkout: "actions/checkout@v4.2.2",
  upload: "actions/upload-artifact@v4.6.2",
  download: "actions/download-artifact@v4.3.0",
  cache: "actions/cache@v4.2.3",
} as const;
