import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { assertEquals } from "../../testing/mod.ts";
import { podProblem, restartsOf } from "./pod_problem.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();

type Fields = Record<string, unknown>;

function pod(status: Fields, metadata: Fields = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "serin-serving-7d4b9-x2x9z", uid: "p1", ...metadata },
    status: { phase: "Pending", ...status },
  };
}

function event(
  reason: string,
  message: string,
  secondsAgo = 1,
  about: Fields = {},
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${reason}.1` },
    type: "Warning",
    reason,
    message,
    lastTimestamp: at(secondsAgo),
    involvedObject: { kind: "Pod", name: "serin-serving-7d4b9-x2x9z", uid: "p1", ...about },
  };
}

const container = (fields: Fields) => ({
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{ name: "serin", ready: false, restartCount: 0, ...fields }],
});

/** Whether it lasts, and what is told; undefined where nothing is wrong. */
function checkProblem(
  status: Fields,
  events: KubernetesObject[],
  expected: [lasting: boolean, message: string] | undefined,
  metadata: Fields = {},
): void {
  const problem = podProblem(pod(status, metadata), events, NOW);
  assertEquals(problem === undefined ? undefined : [problem.lasting, problem.message], expected);
}

Deno.test("nothing is wrong with a pod that is ready, on its way, or on its way out", () => {
  checkProblem({ conditions: [{ type: "Ready", status: "True" }] }, [], undefined);
  checkProblem({}, [], undefined);
  checkProblem(container({ state: { waiting: { reason: "ContainerCreating" } } }), [], undefined);
  checkProblem(container({ state: { running: { startedAt: at(1) } } }), [], undefined);
  const crash = container({ state: { waiting: { reason: "CrashLoopBackOff" } } });
  checkProblem(crash, [], undefined, { deletionTimestamp: at(0) });
});

Deno.test("a pod that fits no node: told at once, lasting after a while, unless nodes come", () => {
  const status = (secondsAgo: number) => ({
    conditions: [{
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/1 nodes are available: 1 Insufficient memory.",
      lastTransitionTime: at(secondsAgo),
    }],
  });
  const message = "Unschedulable: 0/1 nodes are available: 1 Insufficient memory.";
  checkProblem(status(2), [], [false, message]);
  checkProblem(status(30), [], [true, message]);
  const growing = event("TriggeredScaleUp", "pod triggered scale-up");
  checkProblem(status(30), [growing], [false, `${message} (nodes are being added)`]);
});

Deno.test("an image that cannot be pulled: the event of the pull says why", () => {
  const message = 'Failed to pull image "serin:9": not found';
  const events = [
    event("Failed", "Error: ImagePullBackOff", 1),
    event("Failed", message, 2),
    event("Failed", "another pod's", 1, { name: "other", uid: "p2" }),
  ];
  const waiting = (reason: string) =>
    container({ state: { waiting: { reason, message: 'Back-off pulling image "serin:9"' } } });
  const head = "container serin: its image cannot be pulled";
  checkProblem(waiting("ErrImagePull"), [events[1]], [
    true,
    `${head} (ImagePullBackOff): ${message}`,
  ]);
  checkProblem(
    waiting("ImagePullBackOff"),
    [events[1], events[2]],
    [true, `${head} (ImagePullBackOff): ${message}`],
  );
  checkProblem(waiting("ImagePullBackOff"), [], [
    true,
    `${head} (ImagePullBackOff): Back-off pulling image "serin:9"`,
  ]);
});

Deno.test("a Secret that is missing", () => {
  const message = 'secret "serin-tokens" not found';
  checkProblem(
    container({ state: { waiting: { reason: "CreateContainerConfigError", message } } }),
    [],
    [
      true,
      "container serin: its configuration is not there (CreateContainerConfigError): " + message,
    ],
  );
  checkProblem(
    container({ state: { waiting: { reason: "ContainerCreating" } } }),
    [event("FailedMount", `MountVolume.SetUp failed for volume "tokens": ${message}`)],
    [false, `FailedMount: MountVolume.SetUp failed for volume "tokens": ${message}`],
  );
});

Deno.test("a key that the Secret of the tokens lacks, and who adds it", () => {
  const status = container({ state: { waiting: { reason: "ContainerCreating" } } });
  const message = (key: string) =>
    `MountVolume.SetUp failed for volume "tokens" : references non-existent secret key: ${key}`;
  const late = "Unable to attach or mount volumes: unmounted volumes=[tokens]: timed out";
  checkProblem(
    status,
    [event("FailedMount", late), event("FailedMount", message("webhook-token"))],
    [
      false,
      `FailedMount: ${
        message("webhook-token")
      }; add it where the Secret serin-tokens comes from, ` +
      "or `serin deploy apply` does",
    ],
  );
  const other = message("another-key");
  checkProblem(status, [event("FailedMount", other)], [false, `FailedMount: ${other}`]);
});

Deno.test("a ConfigMap that is missing, and how it is made", () => {
  const status = container({ state: { waiting: { reason: "ContainerCreating" } } });
  const message =
    'MountVolume.SetUp failed for volume "config" : configmap "serin-retrain" not found';
  const late = "Unable to attach or mount volumes: unmounted volumes=[config]: timed out";
  const events = [event("FailedMount", late, 1), event("FailedMount", message, 60)];
  const hint = "make it: kubectl create configmap serin-retrain --namespace ml " +
    "--from-file=retrain.yaml, with a --from-file for each file that it names";
  const expected: [boolean, string] = [false, `FailedMount: ${message}; ${hint}`];
  checkProblem(status, events, expected, { namespace: "ml" });
  checkProblem(status, [events[0]], [false, `FailedMount: ${late}`], { namespace: "ml" });
});

Deno.test("a crash: exit code, last words, and how often", () => {
  const crash = (restartCount: number, terminated: Fields) =>
    container({
      restartCount,
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated },
    });
  const words = "error: Cannot open /var/lib/serin: permission denied\nhint: check the volume\n";
  const head = (restarts: number) =>
    `container serin ends again and again (CrashLoopBackOff, ${restarts} restarts): `;
  const said = "exit code 2: error: Cannot open /var/lib/serin: permission denied | hint: check " +
    "the volume";
  const ended = { exitCode: 2, reason: "Error", message: words };
  checkProblem(crash(1, ended), [], [false, head(1) + said]);
  checkProblem(crash(2, ended), [], [true, head(2) + said]);
  checkProblem(crash(2, { exitCode: 137, reason: "OOMKilled" }), [], [
    true,
    head(2) + "killed for using more memory than its limit (OOMKilled)",
  ]);
  checkProblem(
    crash(3, { exitCode: 143, reason: "Error" }),
    [event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")],
    [
      true,
      head(3) + "exit code 143; Liveness probe failed: HTTP probe failed with statuscode: 500",
    ],
  );
  checkProblem(container({ state: { terminated: ended } }), [], [
    false,
    `container serin ended: ${said}`,
  ]);
  const { count, why } = restartsOf(pod(crash(3, { exitCode: 1, reason: "Error", message: "x" })));
  assertEquals([count, why], [3, "exit code 1: x"]);
});

Deno.test("a probe that fails is told, if it failed since the container runs", () => {
  const message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
  const running = container({ state: { running: { startedAt: at(10) } } });
  checkProblem(running, [event("Unhealthy", message, 2)], [false, `container serin: ${message}`]);
  checkProblem(running, [event("Unhealthy", message, 60)], undefined);
  const again = container({
    state: { running: { startedAt: at(10) } },
    lastState: { terminated: { exitCode: 1, reason: "Error", message: "boom" } },
  });
  checkProblem(again, [], [
    false,
    "container serin: is not ready yet; before that it ended: exit code 1: boom",
  ]);
});

Deno.test("an evicted pod, and an init container that fails", () => {
  checkProblem(
    { phase: "Failed", reason: "Evicted", message: "The node was low on memory." },
    [],
    [false, "Evicted: The node was low on memory."],
  );
  const init = (state: Fields) => ({
    conditions: [{ type: "Ready", status: "False" }],
    initContainerStatuses: [{ name: "prepare", restartCount: 0, state }],
    containerStatuses: [{ name: "serin", state: { waiting: { reason: "PodInitializing" } } }],
  });
  checkProblem(init({ terminated: { exitCode: 3, reason: "Error" } }), [], [
    false,
    "container prepare ended: exit code 3",
  ]);
  checkProblem(init({ terminated: { exitCode: 0, reason: "Completed" } }), [], undefined);
});
