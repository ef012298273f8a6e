/**
 * `serin gate` in an isolate of its own, for retraining: the models run for seconds, and webhooks must
 * not wait for them.
 */
import { run } from "./gate_run.ts";
import { answerCalls } from "./isolate_call.ts";

answerCalls(run);
