# shellcheck shell=bash
# Sourced: makes the programs findable that the lab needs. What the machine lacks is unpacked from Debian's
# packages into .cache/debian, and PATH, LD_LIBRARY_PATH and the like point there for the lab's processes only.

# PROGRAM PACKAGE
need() {
  command -v "$1" >/dev/null && return 0
  local folder
  folder=$("$SERIN_ROOT/scripts/lib/debian.sh" "$2" 2>&1) || skip "there is no $1 here, and ${folder##*$'\n'}"
  use_package "$folder"
  [ "$1" = iptables ] || command -v "$1" >/dev/null || skip "Debian's package $2 holds no $1"
}

use_package() { # FOLDER
  local folder
  for folder in "$1"/usr/sbin "$1"/usr/bin "$1"/sbin "$1"/bin; do
    [ ! -d "$folder" ] || PATH+=:$folder
  done
  for folder in "$1"/usr/lib/*-linux-gnu "$1"/lib/*-linux-gnu; do
    [ -d "$folder" ] || continue
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
    [ ! -d "$folder/xtables" ] || export XTABLES_LIBDIR=$folder/xtables
  done
}

# Debian makes the plain names when it installs the package. nf_tables where the kernel has it, as Debian does.
link_iptables() {
  command -v iptables >/dev/null && return 0
  local folder=$SERIN_LAB/iptables multi family suffix
  for multi in xtables-nft-multi xtables-legacy-multi; do
    rm -rf "$folder"
    mkdir -p "$folder"
    for family in iptables ip6tables; do
      for suffix in "" -save -restore; do ln -s "$(command -v $multi)" "$folder/$family$suffix"; done
    done
    unshare --net "$folder/iptables" -t nat -L -n >/dev/null 2>&1 && break
    multi=
  done
  [ -n "$multi" ] || skip "the kernel has neither nf_tables nor iptables"
  PATH+=:$folder
}

find_programs() {
  need openssl openssl
  need ip iproute2
  need zstd zstd
  need busybox busybox-static
  need catatonit catatonit
  need containerd containerd
  need ctr containerd
  need runc runc
  need conntrack conntrack
  need iptables iptables
  link_iptables
  find_cni
}

# The plugins are in no PATH: containerd looks in the folder that its settings name.
find_cni() {
  local folder
  LAB_CNI_BIN=${LAB_CNI_BIN:-/usr/lib/cni}
  [ ! -x "$LAB_CNI_BIN/ptp" ] || return 0
  folder=$("$SERIN_ROOT/scripts/lib/debian.sh" containernetworking-plugins 2>&1) ||
    skip "there are no CNI plugins here, and ${folder##*$'\n'}"
  use_package "$folder"
  LAB_CNI_BIN=$folder/usr/lib/cni
}
