/** For tests only; nothing that ships may import it. */
export {
  assertClose,
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
} from "./assertions.ts";
export { FakeApiServer } from "./fake_api_server.ts";
export { FakeClock } from "./fake_clock.ts";
export { useCompiledSerin } from "./compiled_serin.ts";
export { freePort } from "./free_port.ts";
export { type FakeCall, FakeKubernetes } from "./fake_kubernetes.ts";
export { FakeModels } from "./fake_models.ts";
export { FakeRegistryPort, rolloutDetail } from "./fake_registry_port.ts";
export { FakePeer } from "./fake_peer.ts";
export { FakeWorkloads } from "./fake_workloads.ts";
export {
  failingModel,
  hangingModel,
  linearModel,
  nonFiniteModel,
  slowModel,
  unknownOperatorModel,
} from "./models.ts";
export { until } from "./until.ts";
export { TestRegistry } from "./test_registry.ts";
export { runSerin, serinCommand, SerinProcess, type SerinResult } from "./serin_process.ts";
