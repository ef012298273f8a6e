#!/usr/bin/env bash
# Gets Debian (or Ubuntu) packages WITHOUT root into .cache/debian of the clone, and prints the folder:
#   scripts/lib/debian.sh PACKAGE               PACKAGE and what it depends on, unpacked. What the machine
#                                               has already is not fetched again.
#   scripts/lib/debian.sh --archives PACKAGE…   the .deb files of exactly these, installed here or not
# Nothing is installed: maintainer scripts do not run. Where that cannot be: one line with the reason on
# stderr, exit 1. What was fetched is kept: remove .cache/debian to get newer ones.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
usage="usage: scripts/lib/debian.sh [--archives] PACKAGE…"
mode=unpack
[ "${1:-}" != --archives ] || { mode=archives; shift; }
package="${1:?$usage}"
[ $# = 1 ] || [ "$mode" = archives ] || { echo "$usage" >&2; exit 2; }
base="$SERIN_ROOT/.cache/debian"
target="$base/$package"
[ "$mode" = unpack ] || target="$base/archives-$(IFS=+; echo "$*")"
private="$base/.apt"
log="$private/log"

give_up() {
  echo "the Debian package $package cannot be had: $1" >&2
  exit 1
}

# Prints the last error that apt told of.
apt_reason() {
  local line
  line="$(grep -E '^(E|W|Err)' "$log" | tail -n 1 || true)"
  printf '%s' "${line:-see .cache/debian/.apt/log}"
}

# apt-get with its state, lists and archives in the clone; the machine's own are only read. apt splits some of
# its settings at spaces, so it works from inside $private with relative names.
apt() {
  (cd "$private" && timeout 300 apt-get --assume-yes -qq \
    -o Dir::State=./state -o Dir::State::lists=./state/lists -o Dir::State::status=/var/lib/dpkg/status \
    -o Dir::Cache=./cache -o Dir::Cache::archives=./cache/archives -o Dir::Log=./ \
    -o APT::Sandbox::User= -o Debug::NoLocking=true -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    -o APT::Install-Recommends=false "$@")
}

[ -e "$target/.complete" ] && { printf '%s\n' "$target"; exit 0; }
command -v apt-get >/dev/null && command -v dpkg >/dev/null || give_up "there is no apt-get here"
mkdir -p "$private/state/lists/partial" "$private/cache/archives/partial"
# Two tests at once: the second waits for the first.
exec 9>"$base/.lock"
flock 9
[ -e "$target/.complete" ] && { printf '%s\n' "$target"; exit 0; }

if [ -z "$(find "$private/.lists" -mmin -720 2>/dev/null)" ]; then
  apt update >"$log" 2>&1 || give_up "$(apt_reason)"
  touch "$private/.lists"
fi
rm -rf "$private/cache/archives" "$target" "$target.new"
mkdir -p "$private/cache/archives/partial" "$target.new"
if [ "$mode" = archives ]; then
  apt download "$@" >"$log" 2>&1 || give_up "$(apt_reason)"
  mv "$private"/*.deb "$target.new/"
else
  apt install --download-only "$package" >"$log" 2>&1 || give_up "$(apt_reason)"
  for deb in "$private"/cache/archives/*.deb; do
    [ -e "$deb" ] || give_up "apt fetched nothing (is it installed already?)"
    dpkg -x "$deb" "$target.new"
  done
fi
rm -rf "$private/cache/archives"
touch "$target.new/.complete"
mv "$target.new" "$target"
printf '%s\n' "$target"
