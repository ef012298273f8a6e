import { labelsOf, NAMES, REGISTRY_URL, RETRAIN_URL } from "./names.ts";
import type { CronJob, Job, JobSpec, PersistentVolumeClaim } from "./object_shape.ts";
import {
  metadataOf,
  restrictedPod,
  serinContainer,
  tokenFile,
  TOKENS_MOUNT,
  tokensVolume,
} from "./pod_parts.ts";
import { RETRAIN_CONFIG, RETRAIN_CONFIG_MOUNT, retrainConfigVolume } from "./retrain.ts";
import type { ManifestSettings } from "./settings.ts";

const DATA = "/data";

/** To rows of a retraining. Another address that `--data` names is not told the admin's token. */
const ROWS_ACCESS = [
  ...["--data-token-file", tokenFile("admin-token"), "--data-token-origin", RETRAIN_URL],
];

/** serin's exit code for a wrong command line or configuration: a second try cannot help. */
const EXIT_USAGE = 2;

/** The template of every training Job; suspended, it only waits for the controller. */
export function trainingCronJob(settings: ManifestSettings): CronJob {
  const { training } = settings;
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: metadataOf(NAMES.trainingTemplate, settings, "training"),
    spec: {
      schedule: training.schedule,
      timeZone: "Etc/UTC",
      suspend: training.suspend,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: { metadata: { labels: labelsOf("training") }, spec: trainingJobSpec(settings) },
    },
  };
}

/** The same training once, without a controller. */
export function trainingJob(settings: ManifestSettings): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadataOf(NAMES.trainingJob, settings, "training"),
    spec: trainingJobSpec(settings),
  };
}

function trainingJobSpec(settings: ManifestSettings): JobSpec {
  const { training } = settings, hasConfig = settings.retrain.enabled;
  return {
    backoffLimit: 1,
    activeDeadlineSeconds: training.deadlineSeconds,
    ttlSecondsAfterFinished: training.keepSeconds,
    podFailurePolicy: {
      rules: [
        // A drained node is nobody's fault.
        {
          action: "Ignore",
          onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
        },
        {
          action: "FailJob",
          onExitCodes: { containerName: "serin", operator: "In", values: [EXIT_USAGE] },
        },
      ],
    },
    template: {
      metadata: { labels: labelsOf("training") },
      spec: restrictedPod({
        serviceAccount: NAMES.training,
        container: serinContainer(settings, {
          command: [
            ...["/serin", "train", "--out", "/tmp/model"],
            ...["--registry", REGISTRY_URL, "--registry-token-file", tokenFile("admin-token")],
            ...(hasConfig ? ROWS_ACCESS : []),
          ],
          args: training.arguments,
          ...(hasConfig ? { workingDir: RETRAIN_CONFIG } : {}),
          // Not flags: a request's flags come behind the template's, and are above the environment.
          env: [
            { name: "SERIN_TRAIN_DATA", value: training.data },
            ...(training.target === undefined
              ? []
              : [{ name: "SERIN_TRAIN_TARGET", value: training.target }]),
          ],
          resources: training.resources,
          volumeMounts: [
            { name: "data", mountPath: DATA, readOnly: true },
            TOKENS_MOUNT,
            ...(hasConfig ? [RETRAIN_CONFIG_MOUNT] : []),
          ],
        }),
        volumes: [
          {
            name: "data",
            persistentVolumeClaim: { claimName: NAMES.trainingData, readOnly: true },
          },
          tokensVolume("admin-token"),
          // A training that nobody's alert has asked for needs none of it.
          ...(hasConfig ? [retrainConfigVolume({ optional: true })] : []),
        ],
        restartPolicy: "Never",
        tmpSize: "1Gi",
        terminationGracePeriodSeconds: 15,
      }),
    },
  };
}

/** Where training data lies; serin only reads it. */
export function trainingData(settings: ManifestSettings): PersistentVolumeClaim {
  const { storage, storageClass } = settings.training;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadataOf(NAMES.trainingData, settings, "training"),
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storageClass,
      resources: { requests: { storage } },
    },
  };
}
