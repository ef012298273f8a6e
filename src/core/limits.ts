/**
 * Every bound that serin puts on what others send or on what it keeps, in one place.
 * What a user may change is in the configuration of its command; its default stands here.
 */
export const LIMITS = {
  /** Largest body of an inference request (64 MiB). */
  inferenceBodyBytesMax: 64 * 1024 * 1024,
  /** Most rows of one inference request. */
  inferenceRowsMax: 100_000,
  /** Requests that one data isolate holds at once before it answers 429. */
  inferenceInflightMax: 1024,
  /** Largest body of MLflow's JSON routes: 1 MB for a log-batch, with room for escaping. */
  mlflowBodyBytesMax: 4 * 1024 * 1024,
  /** Largest body of a sync request. */
  syncBodyBytesMax: 1024 * 1024,
  /** Most labels of one POST /v1/labels, and its largest body. */
  labelsMax: 10_000,
  labelsBodyBytesMax: 8 * 1024 * 1024,
  /** Requests with labels that one data isolate holds while the registry answers, before it answers 429. */
  labelRequestsMax: 256,
  /** Longest sealed prediction token, base64url characters. */
  tokenCharactersMax: 512,
  /** How long a prediction may still be labelled, and how long labelled tokens are remembered. */
  labelHorizonMs: 30 * 24 * 3600 * 1000,
  /** Largest model file that is read into memory. */
  modelBytesMax: 2_000_000_000,
  /** Largest profile.json of a model. */
  profileBytesMax: 16 * 1024 * 1024,
  /** Versions of one model that a serving process's cache keeps, besides those that aliases name. */
  cachedVersionsMax: 8,
  /** Moves of one alias that the registry remembers, and that one answer lists. */
  aliasChangesMax: 1000,
  /** Replicas that one answer lists, the live ones first. */
  replicasListedMax: 1000,
  /** Largest table that is fetched from an address. */
  dataBytesMax: 2_000_000_000,
  /** Columns and bytes of one CSV file's line. */
  csvColumnsMax: 10_000,
  csvLineBytesMax: 16 * 1024 * 1024,
  /** A request id taken over from a caller. */
  requestIdCharactersMax: 128,
  /** How long a data isolate may leave a ping without an answer before it is not ready. */
  isolateAnswerMsMax: 2000,
  /** How long until it is taken for hung and replaced: far above the longest batch. */
  isolateHangMsMax: 5000,
  /** The same while it loads a model, which blocks it. */
  isolateLoadMsMax: 60_000,
  /** Largest configuration file (YAML). */
  configBytesMax: 1024 * 1024,
  /** Longest line of a Kubernetes watch; etcd keeps no object above 1.5 MiB by default. */
  watchLineCharactersMax: 16 * 1024 * 1024,
  /** Largest answer that the prediction log takes, and most bytes of an isolate that wait for it. */
  loggedAnswerBytesMax: 1024 * 1024,
  predictionQueueBytesMax: 4 * 1024 * 1024,
  /** Largest block of one: an answer that is too large for others has one of its own. */
  predictionBlockBytesMax: 2 * 1024 * 1024,
  /** Largest batch of a prediction log that is sent, and most of them that are taken at once. */
  predictionBatchBytesMax: 16 * 1024 * 1024,
  predictionBatchesMax: 16,
  /** Logs whose place a receiver remembers, those that came last. */
  predictionLogsMax: 10_000,
  /** Most labels that wait for the prediction log. */
  labelQueueMax: 100_000,
  /** Largest body of an alert's webhook, and most alerts of one. */
  webhookBodyBytesMax: 1024 * 1024,
  webhookAlertsMax: 1000,
  /** Retraining decisions that are kept, the newest ones. */
  retrainDecisionsMax: 10_000,
  /** Releases that a namespace keeps, and most compressed bytes of one: a ConfigMap takes 1 MiB. */
  releasesMax: 10,
  releaseBytesMax: 700_000,
} as const;
