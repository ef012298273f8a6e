#!/usr/bin/env bash
# Starts a real Kubernetes on this machine: etcd, API server, controller manager, scheduler, containerd, kubelet,
# kube-proxy, DNS and metrics-server. Prints the kubeconfig's path. Needs root. What cannot be started is
# taken down again, on Ctrl-C too; its logs are then in $SERIN_LAB/failed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$LAB_HERE/programs.sh"
WAIT=${LAB_WAIT:-120}
start=$(date +%s.%N)
seconds() { awk "BEGIN{printf \"%.1f\", $(date +%s.%N)-$start}"; }

find_programs
[ -x "$BIN/hyperlab" ] && [ -x "$BIN/pause" ] || die "nothing in $BIN: run build.sh first"
if is_up; then
  say "already up"; echo "$KUBECONFIG_LAB"; exit 0
fi
starter=$(cat "$RUN/starter" 2>/dev/null || true)
if [ -n "$starter" ] && grep -qs /up.sh "/proc/$starter/cmdline"; then
  die "process $starter is starting it already"
fi
[ -z "$(holders)" ] && [ ! -e "$RUN" ] || { say "clearing a half-started one away"; "$LAB_HERE/down.sh"; }
# One lab a machine: its addresses are fixed. See env.sh for who holds this lock.
exec 8<$LOCKED
flock -n 8 || skip "another cluster of these scripts is up on this machine ($(cat /sys/class/net/$LINK/ifalias 2>/dev/null || echo it is starting))"

ended() {
  local code=$?
  [ $code = 0 ] && return
  trap '' INT TERM
  say "taking down what was started (its logs: $SERIN_LAB/failed)"
  rm -rf "$SERIN_LAB/failed"
  [ ! -d "$LOGS" ] || cp -r "$LOGS" "$SERIN_LAB/failed"
  exec 8<&-
  "$LAB_HERE/down.sh"
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf "$SERIN_LAB/failed"
mkdir -p "$PKI" "$LOGS"
echo $$ >"$RUN/starter"

# --- certificates ---------------------------------------------------------
ca() { # NAME CN
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key"
  openssl req -x509 -new -key "$PKI/$1.key" -subj "/CN=$2" -days 3650 -out "$PKI/$1.crt" \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2>/dev/null
}
cert() { # NAME CA SUBJECT [SAN]
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key"
  { echo "keyUsage=critical,digitalSignature,keyEncipherment"
    echo "extendedKeyUsage=clientAuth,serverAuth"
    [ -z "${4:-}" ] || echo "subjectAltName=$4"; } >"$PKI/$1.ext"
  openssl req -new -key "$PKI/$1.key" -subj "$3" 2>/dev/null |
    openssl x509 -req -CA "$PKI/$2.crt" -CAkey "$PKI/$2.key" -days 3650 \
      -set_serial "0x$(openssl rand -hex 8)" -extfile "$PKI/$1.ext" -out "$PKI/$1.crt" 2>/dev/null
}
kubeconfig() { # NAME OUT SERVER
  local b64="base64 -w0"
  cat >"$2" <<YAML
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: "$3", certificate-authority-data: $($b64 "$PKI/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $($b64 "$PKI/$1.crt"), client-key-data: $($b64 "$PKI/$1.key")}
contexts:
- name: lab
  context: {cluster: lab, user: $1}
YAML
  chmod 600 "$2"
}
SERVER=https://$LAB_IP:$API_PORT
ca ca lab-ca
ca front-proxy-ca lab-front-proxy-ca
cert apiserver ca /CN=kube-apiserver "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$KUBERNETES_SERVICE_IP,IP:$LAB_IP"
cert admin ca /O=system:masters/CN=lab-admin
cert apiserver-kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client
cert controller-manager ca /CN=system:kube-controller-manager "DNS:localhost,IP:127.0.0.1"
cert scheduler ca /CN=system:kube-scheduler "DNS:localhost,IP:127.0.0.1"
cert kubelet ca "/O=system:nodes/CN=system:node:$NODE_NAME" "DNS:$NODE_NAME,IP:$LAB_IP"
cert kube-proxy ca /CN=system:kube-proxy
cert front-proxy-client front-proxy-ca /CN=front-proxy-client
openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/sa.key"
openssl ec -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
for u in controller-manager scheduler kubelet kube-proxy; do kubeconfig $u "$RUN/$u.kubeconfig" "$SERVER"; done
kubeconfig admin "$RUN/admin.kubeconfig" "$SERVER"

# --- namespaces and network ------------------------------------------------
# Everything runs inside one PID, mount and network namespace held by one process (which also reaps orphans),
# so ending that process ends all of it and leaves no rule, route or mount behind. A veth pair joins the two.
setsid unshare --net --mount --pid --fork --mount-proc --propagation private \
  sh -c 'mount --make-rshared /; exec "$0" -P' "$BIN/pause" </dev/null >/dev/null 2>&1 &
for _ in $(seq 100); do
  holder=$(holders)
  [ -z "$holder" ] || break
  sleep 0.1
done
[ -n "$holder" ] || die "the kernel makes no namespaces (unshare)"
echo "$holder" >"$RUN/holder.pid"
# The programs write to these folders of the machine, whatever their settings say: inside the lab they are in
# memory. Those that the machine does not have are made, and removed by down.sh.
for folder in /run /var/lib/cni /var/lib/kubelet /var/log/pods /var/log/containers; do
  for parent in $(dirname "$folder") "$folder"; do
    [ -d "$parent" ] || { mkdir "$parent"; echo "$parent" >>"$RUN/made"; }
  done
  in_lab mount -t tmpfs -o mode=755 lab "$folder"
done
ip link add $LINK type veth peer name lab0 netns "$holder"
ip link set $LINK alias "$RUN"
ip addr add "$LAB_HOST_IP/30" dev $LINK
ip link set $LINK up
in_lab sh -ec "
  ip link set lo up
  ip addr add $LAB_IP/30 dev lab0
  ip link set lab0 up
  ip route add $SERVICE_CIDR via $LAB_HOST_IP
  sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0"
ip route add "$POD_CIDR" via "$LAB_IP"
ip route add "$SERVICE_CIDR" via "$LAB_IP"

run() { # NAME COMMAND...: starts it in the background, its output in logs/NAME.log
  local name=$1; shift
  in_lab setsid "$@" </dev/null >"$LOGS/$name.log" 2>&1 &
}
wait_for() { # WHAT LOG COMMAND...
  local what=$1 log=$2 end=$(($(date +%s) + WAIT)); shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { tail -n 20 "$LOGS/$log.log" >&2; die "$what is not ready after ${WAIT}s"; }
    sleep 0.2
  done
}

# --- control plane ---------------------------------------------------------
ETCD=http://127.0.0.1:23790
run etcd "$BIN/etcd" --name lab --data-dir "$RUN/etcd" --unsafe-no-fsync \
  --listen-client-urls $ETCD --advertise-client-urls $ETCD \
  --listen-peer-urls http://127.0.0.1:23800 --initial-advertise-peer-urls http://127.0.0.1:23800 \
  --initial-cluster lab=http://127.0.0.1:23800 --log-level warn
run kube-apiserver "$BIN/kube-apiserver" \
  --etcd-servers=$ETCD --bind-address="$LAB_IP" --secure-port=$API_PORT --advertise-address="$LAB_IP" \
  --service-cluster-ip-range=$SERVICE_CIDR --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --allow-privileged=true \
  --client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
  --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --kubelet-certificate-authority="$PKI/ca.crt" \
  --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
  --kubelet-preferred-address-types=InternalIP \
  --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
  --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file="$PKI/front-proxy-client.crt" --proxy-client-key-file="$PKI/front-proxy-client.key" \
  --enable-aggregator-routing=true --profiling=false --event-ttl=1h
cp "$RUN/admin.kubeconfig" "$KUBECONFIG_LAB"
wait_for "the API server" kube-apiserver kc get --raw /readyz
say "API server ready after $(seconds) s"
run kube-controller-manager "$BIN/kube-controller-manager" \
  --kubeconfig="$RUN/controller-manager.kubeconfig" --authentication-kubeconfig="$RUN/controller-manager.kubeconfig" \
  --authorization-kubeconfig="$RUN/controller-manager.kubeconfig" --bind-address=127.0.0.1 \
  --root-ca-file="$PKI/ca.crt" --client-ca-file="$PKI/ca.crt" --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" \
  --service-account-private-key-file="$PKI/sa.key" --use-service-account-credentials=true \
  --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
  --allocate-node-cidrs=false --leader-elect=false --profiling=false \
  --horizontal-pod-autoscaler-sync-period="${LAB_HPA_SYNC:-5s}" \
  --horizontal-pod-autoscaler-initial-readiness-delay="${LAB_HPA_READINESS_DELAY:-5s}" \
  --horizontal-pod-autoscaler-cpu-initialization-period="${LAB_HPA_CPU_INIT:-10s}" \
  --horizontal-pod-autoscaler-downscale-stabilization="${LAB_HPA_DOWNSCALE:-15s}"
run kube-scheduler "$BIN/kube-scheduler" \
  --kubeconfig="$RUN/scheduler.kubeconfig" --authentication-kubeconfig="$RUN/scheduler.kubeconfig" \
  --authorization-kubeconfig="$RUN/scheduler.kubeconfig" --bind-address=127.0.0.1 --leader-elect=false --profiling=false
wait_for "the default service account" kube-controller-manager kc get serviceaccount default

# --- node --------------------------------------------------------------------
# overlayfs does not lie on every file system (not on another overlay, for one).
mkdir -p "$RUN"/probe/{lower,upper,work,merged}
if in_lab mount -t overlay -o "lowerdir=$RUN/probe/lower,upperdir=$RUN/probe/upper,workdir=$RUN/probe/work" \
  probe "$RUN/probe/merged" 2>/dev/null; then
  in_lab umount "$RUN/probe/merged"
  echo overlayfs >"$RUN/snapshotter"
else
  echo native >"$RUN/snapshotter"
fi
mkdir -p "$RUN/cni" "$RUN/kubelet" "$RUN/pod-logs" "$RUN/containerd"
cat >"$RUN/cni/10-lab.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500,
   "ipam": {"type": "host-local", "dataDir": "$RUN/cni-ipam", "ranges": [[{"subnet": "$POD_CIDR"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
JSON
cat >"$RUN/containerd.toml" <<TOML
version = 2
root = "$RUN/containerd-root"
state = "$RUN/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$RUN/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true  # root without CAP_SYS_RESOURCE cannot go below its own
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$(cat "$RUN/snapshotter")"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$LAB_CNI_BIN"
    conf_dir = "$RUN/cni"
TOML
echo "nameserver $DNS_IP" >"$RUN/resolv.conf"
cat >"$RUN/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /
oomScoreAdj: 0
maxOpenFiles: $(ulimit -Hn)
containerRuntimeEndpoint: unix://$RUN/containerd.sock
podLogsDir: $RUN/pod-logs
address: $LAB_IP
port: 10250
healthzBindAddress: 127.0.0.1
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
resolvConf: $RUN/resolv.conf
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageMinimumGCAge: 24h
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 110
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
serializeImagePulls: false
localStorageCapacityIsolation: false
YAML
cat >"$RUN/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${LAB_PROXY_MODE:-iptables}
clientConnection: {kubeconfig: $RUN/kube-proxy.kubeconfig}
clusterCIDR: $POD_CIDR
hostnameOverride: $NODE_NAME
bindAddress: $LAB_IP
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 100ms, syncPeriod: 30s}
nftables: {minSyncPeriod: 100ms, syncPeriod: 30s}
YAML
run containerd containerd --config "$RUN/containerd.toml" --log-level info
wait_for containerd containerd ctr --address "$RUN/containerd.sock" version
"$LAB_HERE/load.sh" "$IMAGES"/{pause,busybox}.tar >/dev/null
kc apply -f - >/dev/null <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab-kubelet-api}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:kubelet-api-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: kube-apiserver-kubelet-client}]
YAML
run kubelet "$BIN/kubelet" --config="$RUN/kubelet.yaml" --kubeconfig="$RUN/kubelet.kubeconfig" \
  --root-dir="$RUN/kubelet" --cert-dir="$RUN/kubelet-pki" --hostname-override="$NODE_NAME" --node-ip="$LAB_IP"
run kube-proxy "$BIN/kube-proxy" --config="$RUN/kube-proxy.yaml"
wait_for "the node" kubelet kc wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s

# --- add-ons: processes on the node --------------------------------------------
put() { sed "s/LAB_IP/$LAB_IP/; s/DNS_IP/$DNS_IP/" "$LAB_HERE/manifests/$1.yaml" | kc apply --server-side -f - >/dev/null; }
# Server-side: some are too large for the annotation that plain apply writes.
for file in "$SERIN_LAB"/crds/*.yaml; do
  [ -e "$file" ] || continue
  kc apply --server-side --force-conflicts -f "$file" >>"$LOGS/crds.log" 2>&1 ||
    die "the CRDs of $(basename "$file"): $(tail -n 1 "$LOGS/crds.log")"
done
kc wait --for=condition=Established crd --all --timeout=60s >>"$LOGS/crds.log" 2>&1
cat >"$RUN/Corefile" <<CORE
. {
  bind $LAB_IP
  errors
  health 127.0.0.1:8181
  ready 127.0.0.1:8182
  cache 5
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $RUN/admin.kubeconfig lab
    pods insecure
    ttl 5
  }
}
CORE
put dns
run coredns "$BIN/coredns" -conf "$RUN/Corefile"
put metrics-server
run metrics-server "$BIN/metrics-server" --kubeconfig="$RUN/admin.kubeconfig" \
  --authentication-kubeconfig="$RUN/admin.kubeconfig" --authorization-kubeconfig="$RUN/admin.kubeconfig" \
  --bind-address="$LAB_IP" --secure-port=4443 --cert-dir="$RUN/metrics-pki" \
  --kubelet-certificate-authority="$PKI/ca.crt" --metric-resolution=10s
kc wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=60s >/dev/null
rm "$RUN/starter"
say "up after $(seconds) s"
echo "$KUBECONFIG_LAB"
