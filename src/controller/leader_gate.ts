import type { KubernetesClient } from "../kubernetes/mod.ts";
import type { RegistryPort } from "./registry_port.ts";

/** Thrown instead of a write by a process that does not lead, or leads no more. */
export class LostLeadership extends Error {
  override readonly name = "LostLeadership";
}

/** @returns a client whose writes ask first whether this process still leads */
export function gateClient(client: KubernetesClient, isLeader: () => boolean): KubernetesClient {
  const check = () => checkLeads(isLeader);
  return {
    namespace: client.namespace,
    get: (ref) => client.get(ref),
    list: (kind) => client.list(kind),
    watch: (kind, options) => client.watch(kind, options),
    create: async (object, options) => (check(), await client.create(object, options)),
    apply: async (object, options) => (check(), await client.apply(object, options)),
    replace: async (object, options) => (check(), await client.replace(object, options)),
    patch: async (ref, patch, options) => (check(), await client.patch(ref, patch, options)),
    delete: async (ref, options) => (check(), await client.delete(ref, options)),
    raw: (method, path, init) => client.raw(method, path, init),
  };
}

/** The same for the registry. */
export function gateRegistry(registry: RegistryPort, isLeader: () => boolean): RegistryPort {
  return {
    listModels: () => registry.listModels(),
    listRollouts: () => registry.listRollouts(),
    getRollout: (id) => registry.getRollout(id),
    setModelTag: async (model, key, value) => {
      checkLeads(isLeader);
      await registry.setModelTag(model, key, value);
    },
  };
}

function checkLeads(isLeader: () => boolean): void {
  if (!isLeader()) throw new LostLeadership("this process leads no more");
}
