#!/usr/bin/env bash
# scripts/lib/image_rootfs.sh FOLDER : makes what the image holds besides /serin. The Dockerfile and
# scripts/image both call it, so that they cannot differ. Prints "UID:GID PATH" for what is not root's (who
# runs this without root cannot give files away; the maker of the layer does it then).
#
# The libraries come from Debian's packages, not from the machine: what the machine has may be patched,
# removed or of any distribution; packages have a version, and it stands in the image where scanners look
# for it (/var/lib/dpkg/status.d).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="${1:?usage: scripts/lib/image_rootfs.sh FOLDER}"
umask 022

case "$(uname -m)" in
  x86_64) triplet=x86_64-linux-gnu loader=lib64/ld-linux-x86-64.so.2 ;;
  aarch64) triplet=aarch64-linux-gnu loader=lib/ld-linux-aarch64.so.1 ;;
  *) echo "the image cannot be made on $(uname -m): serin is built for x86_64 and aarch64" >&2; exit 1 ;;
esac
# What `ldd serin` names (tests/image_test.ts compares). glibc reads DNS and /etc/hosts by itself since 2.34.
LIBRARIES=(libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1)
# The uid that Kubernetes' restricted pods and distroless images use; folders that it writes to.
NONROOT=65532
OWNED=(home/nonroot var/lib/serin var/cache/serin)

archives="$("$here/debian.sh" --archives libc6 libgcc-s1 ca-certificates base-files)"
# Its licence stands in the package that all of GCC's libraries of that version share.
gcc_base="$(dpkg-deb -f "$archives"/libgcc-s1_*.deb Depends | grep -o 'gcc-[0-9]*-base')"
gcc_archives="$("$here/debian.sh" --archives "$gcc_base")"

unpacked="$(mktemp -d)"
trap 'rm -rf "$unpacked"' EXIT
rm -rf "$root"
mkdir -p "$root"/{etc/ssl/certs,lib/"$triplet","$(dirname "$loader")",proc,sys,dev,tmp,var/lib/dpkg/status.d,usr/share/doc}
for deb in "$archives"/*.deb "$gcc_archives"/*.deb; do
  dpkg -x "$deb" "$unpacked"
  name="$(dpkg-deb -f "$deb" Package)"
  dpkg-deb -f "$deb" >"$root/var/lib/dpkg/status.d/$name"
done
for name in libc6 ca-certificates base-files "$gcc_base"; do
  install -D -m 644 "$unpacked/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
done
ln -s "$gcc_base" "$root/usr/share/doc/libgcc-s1"
# Names the distribution, without which scanners cannot look the packages up.
install -m 644 "$unpacked/usr/lib/os-release" "$root/etc/os-release"

# Debian 13 ships /usr/lib what Debian 12 shipped in /lib.
libraries="$unpacked/lib/$triplet"
[ -e "$libraries/libc.so.6" ] || libraries="$unpacked/usr/lib/$triplet"
for name in "${LIBRARIES[@]}"; do install -m 644 "$libraries/$name" "$root/lib/$triplet/$name"; done
install -m 755 "$libraries/$(basename "$loader")" "$root/$loader"

# As update-ca-certificates joins them: by name, each with a newline at its end.
find "$unpacked/usr/share/ca-certificates/mozilla" -name '*.crt' | LC_ALL=C sort |
  while IFS= read -r certificate; do sed -e '$a\' "$certificate"; done \
    >"$root/etc/ssl/certs/ca-certificates.crt"

cat >"$root/etc/passwd" <<EOF
root:x:0:0:root:/root:/sbin/nologin
nonroot:x:$NONROOT:$NONROOT:nonroot:/home/nonroot:/sbin/nologin
EOF
printf 'root:x:0:\nnonroot:x:%s:\n' $NONROOT >"$root/etc/group"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
for path in "${OWNED[@]}"; do
  mkdir -p "$root/$path"
  if [ "$(id -u)" = 0 ]; then chown "$NONROOT:$NONROOT" "$root/$path"; fi
  echo "$NONROOT:$NONROOT $path"
done
