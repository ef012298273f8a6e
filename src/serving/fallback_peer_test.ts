import { SerinError, silentLog } from "../core/mod.ts";
import type { SyncRequest } from "../rollout/sync.ts";
import { assertEquals, assertSerinError, FakePeer } from "../testing/mod.ts";
import { FallbackPeer } from "./fallback_peer.ts";

const REQUEST: SyncRequest = {
  replica: "r",
  incarnation: "a",
  sequence: 1,
  models: [],
  counts: [],
};

/** A remote that answers 404 while `missing`. */
function open(missing: boolean) {
  const remote = new FakePeer(), local = new FakePeer(), state = { missing };
  const sync = remote.sync.bind(remote);
  remote.sync = (request) =>
    state.missing ? Promise.reject(new SerinError("not_found", "404")) : sync(request);
  return { peer: new FallbackPeer(remote, () => Promise.resolve(local), silentLog), local, state };
}

Deno.test("beside a server without the sync this process decides, for good", async () => {
  const { peer, local, state } = open(true);
  await peer.sync(REQUEST);
  state.missing = false;
  await peer.sync(REQUEST);
  assertEquals(local.requests.length, 2);
});

Deno.test("a 404 from a registry that has answered before never makes a second one that decides", async () => {
  const { peer, local, state } = open(false);
  await peer.sync(REQUEST);
  state.missing = true;
  await assertSerinError(() => peer.sync(REQUEST), "unavailable", "404", "answered before");
  state.missing = false;
  await peer.sync(REQUEST);
  assertEquals(local.requests.length, 0);
});
