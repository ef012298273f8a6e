#!/usr/bin/env bash
# Ends the cluster that up.sh started, and nothing else; removes its state.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
for holder in $(holders); do
  # Process 1 of the lab's own namespace: all else ends with it, before it is gone itself.
  kill -KILL "$holder" 2>/dev/null
  for _ in $(seq 100); do [ -e "/proc/$holder" ] || break; sleep 0.1; done
done
# The link ends with the namespace; one whose peer is gone would stay.
if [ "$(cat /sys/class/net/$LINK/ifalias 2>/dev/null)" = "$RUN" ]; then ip link del $LINK 2>/dev/null; fi
# Only empty cgroups can be removed, so this cannot touch anything alive.
remove_cgroups() {
  local folder left=0
  for folder in /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods; do
    [ -d "$folder" ] || continue
    find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
  done
  return $left
}
[ ! -d "$RUN" ] || for _ in $(seq 30); do remove_cgroups && break; sleep 0.1; done
# Folders on the machine that were made as places to mount at.
[ ! -s "$RUN/made" ] || tac "$RUN/made" | xargs -r rmdir 2>/dev/null
for _ in $(seq 30); do rm -rf "$RUN" 2>/dev/null && break; sleep 0.1; done
[ ! -e "$RUN" ] || die "$RUN cannot be removed: $(rm -rf "$RUN" 2>&1 | head -n 1)"
