import { NAMES, type Part, PORTS, selectorOf } from "./names.ts";
import type { NetworkPolicy, Peer, PolicyPort } from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

type Spec = NetworkPolicy["spec"];

/** Who may reach whom: nobody, then what serin needs. Nodes (probes) always reach their own pods. */
export function networkPolicies(settings: ManifestSettings): NetworkPolicy[] {
  const { network } = settings;
  const monitoring = inNamespace(network.monitoringNamespace);
  const toRegistry = { to: [podsOf("registry")], ports: [tcp(PORTS.registry.http)] };
  const apiServer = network.apiServerCidrs.map((cidr) => ({ ipBlock: { cidr } }));
  return [
    policy(settings, NAMES.defaultDeny, undefined, {}),
    policy(settings, NAMES.dns, undefined, { egress: [dns()] }),
    policy(settings, NAMES.registry, "registry", {
      ingress: [{
        from: [
          ...(["serving", "controller", "training"] as const).map(podsOf),
          monitoring,
          ...apiServer,
        ],
        ports: [tcp(PORTS.registry.http)],
      }],
    }),
    policy(settings, NAMES.serving, "serving", {
      ingress: [
        {
          from: atLeastOne(network.clientNamespaces.map(inNamespace)),
          ports: [tcp(PORTS.serving.http)],
        },
        { from: [monitoring], ports: [tcp(PORTS.serving.admin)] },
      ],
      egress: [toRegistry],
    }),
    policy(settings, NAMES.controller, "controller", {
      ingress: [{ from: [monitoring], ports: [tcp(PORTS.controller.admin)] }],
      egress: [
        toRegistry,
        // The API server is no pod; it listens on 443 or 6443, depending on who runs it.
        { to: atLeastOne(apiServer), ports: [tcp(443), tcp(6443)] },
      ],
    }),
    policy(settings, NAMES.training, "training", { egress: [toRegistry] }),
  ];
}

/** One policy; a part's own shuts every direction that it does not open. */
function policy(
  settings: ManifestSettings,
  name: string,
  part: Part | undefined,
  rules: Pick<Spec, "ingress" | "egress">,
): NetworkPolicy {
  const addsEgressOnly = part === undefined && rules.egress !== undefined;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataOf(name, settings, part),
    spec: {
      podSelector: part === undefined ? {} : { matchLabels: selectorOf(part) },
      policyTypes: addsEgressOnly ? ["Egress"] : ["Ingress", "Egress"],
      ...rules,
    },
  };
}

function dns() {
  const kubeDns: Peer = {
    ...inNamespace("kube-system"),
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  };
  return { to: [kubeDns], ports: [{ protocol: "UDP", port: 53 } as const, tcp(53)] };
}

function podsOf(part: Part): Peer {
  return { podSelector: { matchLabels: selectorOf(part) } };
}

function inNamespace(name: string): Peer {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function tcp(port: number): PolicyPort {
  return { protocol: "TCP", port };
}

/** No list means anyone, an empty one does too: it is left out so that a reader sees it. */
function atLeastOne(peers: readonly Peer[]): readonly Peer[] | undefined {
  return peers.length === 0 ? undefined : peers;
}
