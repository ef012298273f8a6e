/**
 * `serin train` in an isolate of its own, for `serin demo` and for retraining: training takes a core
 * for a second or more, and live requests must not wait for it.
 */
import { answerCalls } from "./isolate_call.ts";
import { run } from "./train_run.ts";

answerCalls(run);
