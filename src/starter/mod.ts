/** What `serin init` writes: a repository of a model, from its data to its rollout. */
export { modelRepository, type ModelRepositoryOptions } from "./model_repository.ts";
export { SAMPLE_COLUMNS, SAMPLE_TARGET, sampleTable } from "./sample_data.ts";
export { modelWorkflow } from "./model_workflow.ts";
export type { Job, Step, Workflow } from "./workflow.ts";
