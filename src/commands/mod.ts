import type { Command } from "../cli/mod.ts";
import { backupCommand } from "./backup.ts";
import { canaryAbortCommand } from "./canary_abort.ts";
import { canaryExplainCommand } from "./canary_explain.ts";
import { canaryPlanCommand } from "./canary_plan.ts";
import { canaryReplayCommand } from "./canary_replay.ts";
import { canaryWaitCommand } from "./canary_wait.ts";
import { controllerCommand } from "./controller.ts";
import { dataCheckCommand } from "./data_check.ts";
import { demoCommand } from "./demo.ts";
import { deployApplyCommand } from "./deploy_apply.ts";
import { deployHistoryCommand } from "./deploy_history.ts";
import { deployModelCommand } from "./deploy_model.ts";
import { deployPlanCommand } from "./deploy_plan.ts";
import { deployRollbackCommand } from "./deploy_rollback.ts";
import { deployStatusCommand } from "./deploy_status.ts";
import { manifestsRenderCommand } from "./manifests_render.ts";
import { gateCommand } from "./gate.ts";
import { initCommand } from "./init.ts";
import { predictCommand } from "./predict.ts";
import { predictionsExportCommand } from "./predictions_export.ts";
import { registerCommand } from "./register.ts";
import { registryCommand } from "./registry.ts";
import { restoreCommand } from "./restore.ts";
import { retrainApproveCommand } from "./retrain_approve.ts";
import { retrainExplainCommand } from "./retrain_explain.ts";
import { retrainHistoryCommand } from "./retrain_history.ts";
import { retrainServeCommand } from "./retrain_serve.ts";
import { serveCommand } from "./serve.ts";
import { smokeCommand } from "./smoke.ts";
import { trainCommand } from "./train.ts";
import { versionCommand } from "./version.ts";

/** Every command of serin, in the order of the help. */
export const COMMANDS = [
  demoCommand,
  initCommand,
  dataCheckCommand,
  trainCommand,
  registryCommand,
  backupCommand,
  restoreCommand,
  serveCommand,
  predictCommand,
  predictionsExportCommand,
  gateCommand,
  registerCommand,
  smokeCommand,
  canaryPlanCommand,
  canaryWaitCommand,
  canaryExplainCommand,
  canaryAbortCommand,
  canaryReplayCommand,
  manifestsRenderCommand,
  deployPlanCommand,
  deployApplyCommand,
  deployModelCommand,
  deployStatusCommand,
  deployHistoryCommand,
  deployRollbackCommand,
  controllerCommand,
  retrainServeCommand,
  retrainHistoryCommand,
  retrainExplainCommand,
  retrainApproveCommand,
  versionCommand,
] as unknown as readonly Command[];
