import { SerinError } from "../../core/mod.ts";
import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { refusalOf } from "./refusal.ts";

const referenceTo = (kind: string, name: string) => ({
  apiVersion: "v1",
  kind,
  namespace: "serin",
  name,
});

/** As Kubernetes 1.35 says it, the middle left out. */
const MESSAGES = {
  Job: 'Cannot patch Job serin/serin-train-once: Job.batch "serin-train-once" is invalid: ' +
    'spec.template: Invalid value: {"labels":{"a":"b"},"Spec":{"Volumes":[{"Name":"data"}]}}: ' +
    "field is immutable",
  StatefulSet: 'StatefulSet.apps "serin-registry" is invalid: spec: Forbidden: updates to ' +
    "statefulset spec for fields other than 'replicas', 'ordinals' are forbidden",
  PersistentVolumeClaim: 'PersistentVolumeClaim "serin-training-data" is invalid: spec: ' +
    "Forbidden: spec is immutable after creation except resources.requests for bound claims\n" +
    '@@ -6,7 +6,7 @@\n-   "storage": "1Gi"\n+   "storage": "512Mi"\n',
};

Deno.test("what cannot be changed in place: the way around, without the objects in the message", () => {
  const said = Object.entries(MESSAGES).map(([kind, message]) =>
    refusalOf(referenceTo(kind, "x"), new SerinError("invalid_input", message))
  );
  const [job, set, claim] = said;
  assertIncludes(job.reason, "is invalid: spec.template: field is immutable");
  assertIncludes(job.hint!, "`kubectl delete job x --namespace serin`");
  assertIncludes(set.reason, "updates to statefulset spec");
  assertIncludes(set.hint!, "--cascade=orphan");
  assertEquals(claim.reason.includes("\n"), false);
  assertIncludes(claim.hint!, "can only grow");
});

Deno.test("any other refusal keeps its own words and its own way out", () => {
  const deployment = referenceTo("Deployment", "serin-serving");
  const plain = new SerinError("permission_denied", "no", { hint: "a Role must" });
  assertEquals(refusalOf(deployment, plain), { reason: "no", hint: "a Role must" });
  const conflict = new SerinError("conflict", '"x" manages .spec', { details: { conflicts: [] } });
  assertIncludes(refusalOf(deployment, conflict).hint!, "--force-conflicts");
  assertEquals(refusalOf(deployment, new SerinError("invalid_input", "no")), { reason: "no" });
});
