# Sourced by every script: where the toolchain and its caches live. Nothing outside the clone is written.
# Values that are set already win, so that CI can share its caches.
umask 022
SERIN_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export SERIN_ROOT
# Deno ignores HOME and keeps its cache in DENO_DIR.
export DENO_DIR="${SERIN_DENO_DIR:-$SERIN_ROOT/.cache/deno}"
export XDG_CACHE_HOME="$SERIN_ROOT/.cache/xdg"
export PIP_CACHE_DIR="$SERIN_ROOT/.cache/pip"
export npm_config_cache="$SERIN_ROOT/.cache/npm"
export SERIN_LAB="${SERIN_LAB:-$SERIN_ROOT/.cache/lab}"
export PYTHONDONTWRITEBYTECODE=1
# A company's proxy has a certificate of its own in the system's store.
export DENO_TLS_CA_STORE="${DENO_TLS_CA_STORE:-mozilla,system}"
export DENO_NO_UPDATE_CHECK=1
# `deno compile` overflows its stack on an empty cache when prom-client is imported.
export RUST_MIN_STACK="${RUST_MIN_STACK:-16777216}"
