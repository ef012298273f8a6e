# shellcheck shell=bash disable=SC2034
# Settings shared by the lab's scripts; sourced, not run.
#
# The lab is a whole Kubernetes in one program (hyperlab/) and a real node (containerd, runc, kubelet), on one
# machine, with no registry and no engine. Its scripts came from the project's shared lab; here they take what
# the machine lacks from Debian's packages without installing it, and leave nothing behind.
LAB_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$LAB_HERE/../../env.sh"
# An empty HOME must not send kubectl's cache to /, an `env -i` must not hide `ip`.
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
KUBE_VERSION=1.35.4
BIN=$SERIN_LAB/bin          # what build.sh makes; kept
IMAGES=$SERIN_LAB/images    # image archives; kept
RUN=$SERIN_LAB/run          # one cluster's state; removed by down.sh
PKI=$RUN/pki
LOGS=$RUN/logs
KUBECONFIG_LAB=$RUN/kubeconfig
export KUBECACHEDIR=$RUN/kubectl-cache

LAB_HOST_IP=10.250.0.1      # this end of the veth pair
LAB_IP=10.250.0.2           # the lab's end: API server, kubelet, NodePorts
LAB_CIDR=10.250.0.0/30
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
KUBERNETES_SERVICE_IP=10.96.0.1
DNS_IP=10.96.0.10
NODE_NAME=lab-node
API_PORT=6443
PAUSE_IMAGE=lab.test/pause:1
LINK=lab-host
# Every process of the lab inherits a lock on this folder, so it is held exactly as long as one of them lives.
LOCKED=/run
COMPONENTS="etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns metrics-server"

say() { printf '%s\n' "cluster: $*" >&2; }
die() { printf '%s\n' "error: $*" >&2; exit 1; }
# For what a machine cannot do, as opposed to what went wrong.
skip() { printf '%s\n' "skipped: $*" >&2; exit 3; }

# Runs a command inside the lab's network, mount and process namespaces.
in_lab() { nsenter -t "$(cat "$RUN/holder.pid")" -n -m -p -- "$@"; }
kc() { "$BIN/kubectl" --kubeconfig "$KUBECONFIG_LAB" "$@"; }
# Started to the end: up.sh removes the file `starter` last.
is_started() { [ -s "$KUBECONFIG_LAB" ] && [ ! -e "$RUN/starter" ]; }
is_up() { is_started && kc get --raw /readyz --request-timeout=5s >/dev/null 2>&1; }

# The ids of this lab's holders (one, unless a start was killed half-way): processes that run our own pause
# program, which is process 1 of the lab's namespace. Pods have theirs from an image, at another path.
holders() {
  local exe pause
  # The kernel tells where a program really lies, though the way to it may have links.
  pause=$(readlink -f "$BIN/pause") || return 0
  for exe in /proc/[0-9]*/exe; do
    [ "$(readlink "$exe" 2>/dev/null)" != "$pause" ] || basename "$(dirname "$exe")"
  done
}

# Prints Go's program, if there is one.
find_go() { command -v go || { [ -x /usr/local/go/bin/go ] && echo /usr/local/go/bin/go; }; }
# Go with its caches inside the clone.
run_go() {
  env GOPATH="$SERIN_ROOT/.cache/go" GOCACHE="$SERIN_ROOT/.cache/go-build" GOFLAGS=-modcacherw \
    GOTOOLCHAIN=local CGO_ENABLED=0 "$(find_go)" "$@"
}
