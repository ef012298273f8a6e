#!/usr/bin/env bash
# Makes the lab's programs, images and schemas in $SERIN_LAB; what is there already is kept.
#   build.sh            the cluster: hyperlab, the two images, the CRDs
#   build.sh NAME…      only these: hyperlab images schemas
#
# hyperlab and the schemas come from SERIN_LAB_PREBUILT, a folder with hyperlab.zst and crds_schemas.tar.zst
# (default: ../shared/lab/kubernetes/prebuilt beside the clone). With SERIN_LAB_COMPILE=1 they are compiled by
# Go, 5 to 15 minutes. Without either: "skipped", exit 3.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$LAB_HERE/programs.sh"
PREBUILT=${SERIN_LAB_PREBUILT:-$SERIN_ROOT/../shared/lab/kubernetes/prebuilt}
mkdir -p "$BIN" "$IMAGES"

do_hyperlab() {
  if [ -n "${SERIN_LAB_COMPILE:-}" ]; then compile_hyperlab; else unpack_hyperlab; fi
  local name
  for name in $COMPONENTS; do ln -sf hyperlab "$BIN/$name"; done
}

# What matters of a prebuilt program is that it runs here, is the Kubernetes that is wanted, and holds every
# component: not which compiler made it, or where.
unpack_hyperlab() {
  local archive=$PREBUILT/hyperlab.zst stamp
  if [ ! -s "$archive" ]; then
    [ -x "$BIN/hyperlab" ] && problem=$(hyperlab_problem "$BIN/hyperlab") && [ -z "$problem" ] && return 0
    skip "no prebuilt Kubernetes in $PREBUILT: SERIN_LAB_PREBUILT=FOLDER names another, SERIN_LAB_COMPILE=1 compiles it (5 to 15 minutes, Go)"
  fi
  stamp=$(stat -L -c '%s %Y' "$archive")
  [ -x "$BIN/hyperlab" ] && [ "$(cat "$BIN/.hyperlab" 2>/dev/null)" = "$stamp" ] && return 0
  need zstd zstd
  zstd -q -d -f "$archive" -o "$BIN/hyperlab.new" || die "$archive cannot be unpacked"
  chmod 755 "$BIN/hyperlab.new"
  problem=$(hyperlab_problem "$BIN/hyperlab.new")
  if [ -n "$problem" ]; then
    rm "$BIN/hyperlab.new"
    skip "the prebuilt Kubernetes in $PREBUILT $problem: SERIN_LAB_COMPILE=1 compiles another"
  fi
  mv "$BIN/hyperlab.new" "$BIN/hyperlab"
  echo "$stamp" >"$BIN/.hyperlab"
}

# PROGRAM: prints what is wrong with it, or nothing
hyperlab_problem() {
  local seen usage name
  seen=$("$1" kubectl version --client 2>&1 | sed -n 's/^Client Version: v//p')
  [ -n "$seen" ] || { echo "does not run here"; return 0; }
  [ "$seen" = "$KUBE_VERSION" ] || { echo "is $seen, not $KUBE_VERSION"; return 0; }
  usage=$("$1" 2>&1 || true)
  for name in $COMPONENTS; do
    [[ "$usage " == *" $name "* ]] || { echo "holds no $name"; return 0; }
  done
}

compile_hyperlab() {
  [ -n "$(find_go)" ] || skip "SERIN_LAB_COMPILE is set and there is no Go here"
  local sum flags="" package minor=${KUBE_VERSION#*.} start=$SECONDS
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$KUBE_VERSION -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
    flags+=" -X $package.gitTreeState=clean"
  done
  sum=$(cd "$LAB_HERE/hyperlab" && { cat ./*.go go.mod go.sum; run_go version; } | sha256sum)
  [ -x "$BIN/hyperlab" ] && [ "$(cat "$BIN/.hyperlab" 2>/dev/null)" = "$sum" ] && return 0
  say "compiling Kubernetes $KUBE_VERSION …"
  (cd "$LAB_HERE/hyperlab" && run_go build -trimpath -ldflags "-s -w$flags" -o "$BIN/hyperlab.new" .)
  mv "$BIN/hyperlab.new" "$BIN/hyperlab"
  echo "$sum" >"$BIN/.hyperlab"
  say "compiled in $((SECONDS - start)) s"
}

make_image() { # NAME OPTION…: from $folder
  "$SERIN_ROOT/scripts/lib/image_archive.py" --tag "lab.test/$1:1" "${@:2}" "$folder" "$IMAGES/$1.tar"
}

# catatonit is what podman holds its pods with: static, reaps orphans, ends on SIGTERM.
do_images() {
  find_programs
  [ -x "$BIN/pause" ] || install -m 755 "$(command -v catatonit)" "$BIN/pause"
  local folder=$IMAGES/rootfs applet
  if [ ! -s "$IMAGES/pause.tar" ]; then
    rm -rf "$folder"
    install -D -m 755 "$BIN/pause" "$folder/pause"
    make_image pause --entrypoint '["/pause", "-P"]'
  fi
  if [ ! -s "$IMAGES/busybox.tar" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"/{bin,etc,tmp,var,usr,lib,lib64,opt,proc,sys,dev,srv}
    chmod 1777 "$folder/tmp"
    install -m 755 "$(command -v busybox)" "$folder/bin/busybox"
    for applet in $("$folder/bin/busybox" --list); do
      [ "$applet" = busybox ] || ln -s busybox "$folder/bin/$applet"
    done
    printf 'root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532:nonroot:/:/bin/sh\n' >"$folder/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$folder/etc/group"
    make_image busybox --cmd '["/bin/sh"]'
  fi
  rm -rf "$folder"
}

# CRDs of others that serin's manifests use, and JSON schemas for kubeconform, of these and of Kubernetes' own
# types. Argo's are left out: its `rollouts` would be what `kubectl get rollout` means.
do_schemas() {
  local archive=$PREBUILT/crds_schemas.tar.zst
  [ ! -s "$SERIN_LAB/schemas/_definitions.json" ] || return 0
  if [ -z "${SERIN_LAB_COMPILE:-}" ]; then
    [ -s "$archive" ] || skip "no schemas in $PREBUILT: SERIN_LAB_COMPILE=1 makes them from Go's modules"
    need zstd zstd
    rm -rf "$SERIN_LAB/schemas.new"
    mkdir "$SERIN_LAB/schemas.new"
    zstd -q -d -c "$archive" | tar -C "$SERIN_LAB/schemas.new" --no-same-owner \
      --exclude='crds/argo-*' --exclude='schemas/*-argoproj-*' -xf -
    rm -rf "$SERIN_LAB/crds" "$SERIN_LAB/schemas"
    mv "$SERIN_LAB/schemas.new/crds" "$SERIN_LAB/schemas.new/schemas" "$SERIN_LAB"
    rm -rf "$SERIN_LAB/schemas.new"
    return 0
  fi
  [ -n "$(find_go)" ] || skip "SERIN_LAB_COMPILE is set and there is no Go here"
  collect_crd gateway-api sigs.k8s.io/gateway-api@v1.6.3 'config/crd/standard/*.yaml'
  collect_crd prometheus-operator github.com/prometheus-operator/prometheus-operator@v0.85.0 \
    'example/prometheus-operator-crd/*.yaml'
  collect_crd keda github.com/kedacore/keda/v2@v2.21.0 'config/crd/bases/*.yaml'
  "$LAB_HERE/schemas.py" --openapi \
    "$(module_folder "k8s.io/kubernetes@v$KUBE_VERSION")/api/openapi-spec/swagger.json" \
    --crds "$SERIN_LAB/crds" "$SERIN_LAB/schemas" >&2
}

collect_crd() { # NAME MODULE@VERSION GLOB
  local folder file out=$SERIN_LAB/crds/$1.yaml
  [ ! -s "$out" ] || return 0
  folder=$(module_folder "$2")
  [ -n "$folder" ] || die "Go finds no module $2"
  mkdir -p "$SERIN_LAB/crds"
  : >"$out.new"
  # shellcheck disable=SC2086
  for file in $folder/$3; do
    grep -q '^kind: *\(CustomResourceDefinition\|ValidatingAdmissionPolicy\)' "$file" || continue
    { echo "---"; cat "$file"; echo; } >>"$out.new"
  done
  mv "$out.new" "$out"
}

module_folder() { # MODULE@VERSION: its folder in the module cache, fetched if need be
  (cd / && run_go mod download -json "$1" 2>/dev/null) |
    python3 -c 'import json, sys; print(json.load(sys.stdin).get("Dir", ""))'
}

[ $# -gt 0 ] || set -- hyperlab images schemas
for part in "$@"; do "do_$part"; done
