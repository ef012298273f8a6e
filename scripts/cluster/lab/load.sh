#!/usr/bin/env bash
# Loads image archives (of scripts/image, or any OCI or docker archive) into the node.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$LAB_HERE/programs.sh"
find_programs
for archive in "$@"; do
  ctr --address "$RUN/containerd.sock" --namespace k8s.io images import \
    --snapshotter "$(cat "$RUN/snapshotter")" "$archive"
done
