import { NAMES, type Part, PORTS, selectorOf } from "./names.ts";
import type { NetworkPolicy, Peer, PolicyPort } from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

type Spec = NetworkPolicy["spec"];

/**
 * The API server is no pod, and policies see its own port, not its Service's: 443 of clouds, 6443 of
 * kubeadm and most others, 8443 of minikube, 16443 of MicroK8s.
 */
const API_SERVER_PORTS = [443, 6443, 8443, 16443];

/** Who may reach whom: nobody, then what serin needs. Nodes (probes) always reach their own pods. */
export function networkPolicies(settings: ManifestSettings): NetworkPolicy[] {
  const { network, retrain } = settings;
  const monitoring = inNamespace(network.monitoringNamespace);
  const toRegistry = { to: [podsOf("registry")], ports: [tcp(PORTS.registry.http)] };
  const toRetrain = retrain.enabled
    ? [{ to: [podsOf("retrain")], ports: [tcp(PORTS.retrain.http)] }]
    : [];
  const apiServer = network.apiServerCidrs.map(ipBlock);
  return [
    policy(settings, NAMES.defaultDeny, undefined, {}),
    policy(settings, NAMES.dns, undefined, { egress: [dns(network.dnsCidrs)] }),
    policy(settings, NAMES.registry, "registry", {
      ingress: [{
        from: [
          ...(["serving", "controller", "training"] as const).map(podsOf),
          ...(retrain.enabled ? [podsOf("retrain")] : []),
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
      egress: [toRegistry, ...toRetrain],
    }),
    policy(settings, NAMES.controller, "controller", {
      ingress: [{ from: [monitoring], ports: [tcp(PORTS.controller.admin)] }],
      egress: [
        toRegistry,
        { to: atLeastOne(apiServer), ports: API_SERVER_PORTS.map(tcp) },
      ],
    }),
    policy(settings, NAMES.training, "training", { egress: [toRegistry, ...toRetrain] }),
    ...(retrain.enabled
      ? [policy(settings, NAMES.retrain, "retrain", {
        ingress: [{
          // Logs of replicas, rows for Jobs, Alertmanager's webhook and /metrics, people's questions.
          from: [podsOf("serving"), podsOf("training"), monitoring, ...apiServer],
          ports: [tcp(PORTS.retrain.http)],
        }],
        egress: [toRegistry],
      })]
      : []),
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

function dns(cidrs: readonly string[]) {
  const kubeDns: Peer = {
    ...inNamespace("kube-system"),
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  };
  const to = [kubeDns, ...cidrs.map(ipBlock)];
  return { to, ports: [{ protocol: "UDP", port: 53 } as const, tcp(53)] };
}

function podsOf(part: Part): Peer {
  return { podSelector: { matchLabels: selectorOf(part) } };
}

function ipBlock(cidr: string): Peer {
  return { ipBlock: { cidr } };
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
