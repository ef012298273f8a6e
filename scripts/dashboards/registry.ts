import { bars, CHOSEN, CHOSEN_PLACE, lines, makeDashboard, number } from "./panels.ts";

const RATE = "[$__rate_interval]";
const looks = (name: string) =>
  `sum by (part) (rate(serin_controller_reconcile${name}{${CHOSEN_PLACE}}${RATE}))`;
const shipped = (name: string, by?: string) =>
  `sum ${by ? `by (${by}) ` : ""}` +
  `(rate(serin_prediction_log_${name}{${CHOSEN_PLACE}}${RATE}))`;

/** Is what stands behind serving at work? */
export const registry = makeDashboard({
  name: "registry",
  title: "registry and training",
  description: "Registry, controller, the age of models, and their training.",
  modelsOf: "serin_model_age_seconds",
  rows: [
    ["Now", [
      number({
        title: "Registries",
        description: "Registry processes that answer.",
        unit: "none",
        limits: [],
        queries: [{
          expr: `count(serin_build_info{${CHOSEN_PLACE},component="registry"})`,
          legend: "registries",
        }],
      }),
      number({
        title: "Replicas that reach it",
        description: "Part of the serving replicas whose last sync was answered.",
        unit: "percentunit",
        queries: [{ expr: `avg(serin_registry_reachable{${CHOSEN_PLACE}})`, legend: "reach it" }],
      }),
      number({
        title: "Controllers that lead",
        description: "Exactly one writes to Kubernetes.",
        unit: "none",
        queries: [{ expr: `sum(serin_controller_leader{${CHOSEN_PLACE}})`, legend: "lead" }],
      }),
      number({
        title: "Newest training",
        description: "Since the newest version of any chosen model was made.",
        unit: "s",
        decimals: 1,
        queries: [{
          expr: `time() - max(serin_last_training_timestamp_seconds{${CHOSEN}})`,
          legend: "age",
        }],
      }),
      number({
        title: "Up since",
        description: "How long the registry has run.",
        unit: "s",
        decimals: 1,
        queries: [{
          expr:
            `time() - max(serin_process_start_time_seconds{${CHOSEN_PLACE}} * on (job, instance) ` +
            `group_left () serin_build_info{component="registry"})`,
          legend: "up",
        }],
      }),
      number({
        title: "Memory of the registry",
        description: "Resident memory of the registry's process.",
        unit: "bytes",
        decimals: 0,
        queries: [{
          expr: `max(serin_process_resident_memory_bytes{${CHOSEN_PLACE}} * on (job, instance) ` +
            `group_left () serin_build_info{component="registry"})`,
          legend: "memory",
        }],
      }),
    ]],
    ["Models", [
      bars({
        title: "Age of the versions in use",
        description: "Since the version that an alias names was made. 90 days are a ticket.",
        unit: "s",
        decimals: 1,
        height: 7,
        min: 0,
        max: 120 * 86400,
        limits: [[60 * 86400, "orange"], [90 * 86400, "red"]],
        queries: [{
          expr: `max by (model, model_version, alias) (serin_model_age_seconds{${CHOSEN}})`,
          legend: "{{model}}@{{alias}} v{{model_version}}",
        }],
      }),
      bars({
        title: "Error on rows held out from training",
        description: "What each version in use is expected to get wrong.",
        unit: "percentunit",
        decimals: 1,
        height: 7,
        min: 0,
        max: 0.5,
        queries: [{
          expr: `max by (model, model_version) (serin_reference_error_ratio{${CHOSEN}})`,
          legend: "{{model}} v{{model_version}}",
        }],
      }),
    ]],
    ["Registry", [
      lines({
        title: "Since the last sync",
        description: "Time since the registry last answered a replica.",
        unit: "s",
        min: 0,
        limits: [[5, "orange"]],
        queries: [{
          expr: `max by (instance) (serin_registry_sync_age_seconds{${CHOSEN_PLACE}})`,
          legend: "{{instance}}",
        }],
      }),
      lines({
        title: "Memory",
        description: "Resident memory by process.",
        unit: "bytes",
        min: 0,
        queries: [{
          expr: `serin_process_resident_memory_bytes{${CHOSEN_PLACE}}`,
          legend: "{{job}} {{instance}}",
        }],
      }),
    ]],
    ["Retraining", [
      bars({
        title: "What came of alerts",
        description:
          "Decisions about alerts and ends of retrainings, ever. Two that failed within " +
          "a day are a ticket.",
        unit: "none",
        decimals: 0,
        min: 0,
        queries: [{
          expr: `sum by (model, decision) (serin_retrain_decisions_total{${CHOSEN}}) > 0`,
          legend: "{{model}} {{decision}}",
        }],
      }),
      lines({
        title: "Under way, and waiting for approval",
        description:
          "Retrainings that are worked on, and those that a person must approve: serin " +
          "retrain approve ID.",
        unit: "none",
        decimals: 0,
        min: 0,
        steps: true,
        softMax: 2,
        queries: [
          { expr: `sum(serin_retrain_running{${CHOSEN_PLACE}})`, legend: "under way" },
          { expr: `sum(serin_retrain_pending{${CHOSEN_PLACE}})`, legend: "waiting" },
        ],
      }),
    ]],
    ["Prediction logs that are sent", [
      lines({
        title: "Rows and labels sent",
        description: "Rows a second that replicas sent, and rows and labels that serin retrain " +
          "serve took. After an outage they catch up.",
        unit: "rowsps",
        min: 0,
        queries: [
          { expr: shipped("sent_rows_total"), legend: "rows sent" },
          { expr: shipped("received_rows_total", "model"), legend: "rows taken, {{model}}" },
          { expr: shipped("received_labels_total"), legend: "labels taken" },
        ],
      }),
      lines({
        title: "Rows that wait",
        description: "Rows in a replica's ring that are not sent yet. While nothing takes them " +
          "they grow; when the ring is full the oldest are lost.",
        unit: "short",
        min: 0,
        softMax: 10,
        queries: [{
          expr: `serin_prediction_log_unsent_rows{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
      lines({
        title: "Replicas that are heard",
        description: "1 while serin retrain serve takes the replica's log. 0 for half an hour is " +
          "a ticket.",
        unit: "none",
        min: 0,
        max: 1,
        decimals: 0,
        steps: true,
        queries: [{
          expr: `serin_prediction_log_receiver_reachable{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
      lines({
        title: "Batches by outcome",
        description: "Batches a second that came to serin retrain serve: taken, or the code of " +
          "the error that answered them.",
        unit: "ops",
        min: 0,
        queries: [{ expr: shipped("received_total", "outcome"), legend: "{{outcome}}" }],
      }),
    ]],
    ["Controller", [
      lines({
        title: "Looks a second",
        description: "How often the controller looks at each part of its work.",
        unit: "ops",
        min: 0,
        queries: [{ expr: looks("_total"), legend: "{{part}}" }],
      }),
      lines({
        title: "Looks that failed",
        description: "Part of the looks that failed, at least for one object. Above one half for " +
          "a quarter of an hour is a ticket.",
        unit: "percentunit",
        min: 0,
        limits: [[0.5, "red"]],
        queries: [{ expr: `${looks("_errors_total")} / ${looks("_total")}`, legend: "{{part}}" }],
      }),
      lines({
        title: "Duration of a look, p95",
        description: "95 of 100 looks at a part take less.",
        unit: "s",
        min: 0,
        queries: [{
          expr: "histogram_quantile(0.95, sum by (part, le) (rate(" +
            `serin_controller_reconcile_duration_seconds_bucket{${CHOSEN_PLACE}}${RATE})))`,
          legend: "{{part}}",
        }],
      }),
      lines({
        title: "Controller reaches the registry",
        description: "1 where its last look at the registry was answered.",
        unit: "none",
        min: 0,
        max: 1,
        decimals: 0,
        steps: true,
        queries: [{
          expr: `serin_controller_registry_reachable{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
    ]],
  ],
});
