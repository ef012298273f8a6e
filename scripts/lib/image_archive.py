#!/usr/bin/env python3
"""Writes container image archives, with no registry, no engine and no daemon.

The archive is what `docker save` writes since 25.0: an OCI layout with a manifest.json beside it. `ctr
images import`, `docker load`, `podman load`, skopeo and crane read it. Entries are sorted, times and names
are fixed: the same files give the same image id on any machine.

As a program it makes an image of one folder:

    image_archive.py --tag lab.test/app:1 --entrypoint '["/bin/app"]' FOLDER OUT.tar
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CHUNK_BYTES = 1 << 20


class Layer:
    """A compressed layer in a file of its own."""

    def __init__(self, path, diff_id, created_by):
        self.path = path
        self.diff_id = diff_id
        self.digest = sha256_of(path)
        self.size_bytes = os.path.getsize(path)
        self.created_by = created_by


class HashingWriter:
    """Hands on what is written, and hashes it: tarfile wants a stream, the image the digest."""

    def __init__(self, out):
        self.out = out
        self.hash = hashlib.sha256()

    def write(self, data):
        self.hash.update(data)
        return self.out.write(data)


def sha256_of(path):
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def folder_entries(folder):
    """(name in the image, path here) of everything in a folder, sorted; links are not followed."""
    found = []
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(parent, name)
            found.append((os.path.relpath(path, folder), path))
    return sorted(found)


def write_layer(out_path, entries, created_by, owners=None, mtime=0, file_mode=None):
    """Writes a layer.

    entries: (name in the image, path here), parents first.
    owners: name in the image -> (uid, gid); everything else is root's.
    mtime: seconds since 1970, of every entry.
    file_mode: of every file, instead of what it has here.
    """
    def fixed(info):
        info.uid, info.gid = (owners or {}).get(info.name, (0, 0))
        info.uname = info.gname = ""
        info.mtime = mtime
        if file_mode is not None and info.isfile():
            info.mode = file_mode
        return info

    with open(out_path, "wb") as out, \
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as packed:
        writer = HashingWriter(packed)
        with tarfile.open(fileobj=writer, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for name, path in entries:
                tar.add(path, arcname=name, recursive=False, filter=fixed)
    return Layer(out_path, writer.hash.hexdigest(), created_by)


def write_archive(out_path, layers, config, tags, created=0):
    """Writes the archive, whole or not at all.

    config: the image's `config` object (Entrypoint, User, Labels and so on).
    created: seconds since 1970.
    Returns (image id, sum of the compressed layers in bytes).
    """
    time = rfc3339(created)
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    document = to_json({
        "architecture": architecture,
        "os": "linux",
        "created": time,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.diff_id}" for layer in layers]},
        "history": [{"created": time, "created_by": layer.created_by} for layer in layers],
    })
    image_id = hashlib.sha256(document).hexdigest()
    manifest = to_json({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": f"sha256:{image_id}",
            "size": len(document),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": f"sha256:{layer.digest}",
            "size": layer.size_bytes,
        } for layer in layers],
    })
    index = oci_index(manifest, architecture, tags)
    legacy = [{
        "Config": f"blobs/sha256/{image_id}",
        "RepoTags": tags,
        "Layers": [f"blobs/sha256/{layer.digest}" for layer in layers],
    }]
    partial = f"{out_path}.new"
    with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as tar:
        for layer in layers:
            with open(layer.path, "rb") as f:
                add(tar, f"blobs/sha256/{layer.digest}", f, layer.size_bytes)
        for data in (document, manifest):
            add_bytes(tar, f"blobs/sha256/{hashlib.sha256(data).hexdigest()}", data)
        add_bytes(tar, "oci-layout", to_json({"imageLayoutVersion": "1.0.0"}))
        add_bytes(tar, "index.json", index)
        add_bytes(tar, "manifest.json", to_json(legacy))
    os.replace(partial, out_path)
    return image_id, sum(layer.size_bytes for layer in layers)


def oci_index(manifest, architecture, tags):
    """index.json: one entry a tag, with the annotations by which containerd and OCI tools name an image."""
    return to_json({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}",
            "size": len(manifest),
            "platform": {"architecture": architecture, "os": "linux"},
            "annotations": {
                "io.containerd.image.name": qualified(tag),
                "org.opencontainers.image.ref.name": tag.rsplit(":", 1)[1],
            },
        } for tag in tags],
    })


def qualified(tag):
    """The full name that Kubernetes looks for: `serin:1` is docker.io/library/serin:1 there."""
    first, slash, rest = tag.partition("/")
    if not slash:
        return f"docker.io/library/{tag}"
    is_host = "." in first or ":" in first or first == "localhost"
    return tag if is_host else f"docker.io/{first}/{rest}"


def rfc3339(seconds):
    """Seconds since 1970 as text, in UTC."""
    import datetime
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json(value):
    """JSON in one form only, because its hash is its name."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def add_bytes(tar, name, data):
    add(tar, name, io.BytesIO(data), len(data))


def add(tar, name, stream, size):
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, stream)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tag", required=True, action="append")
    parser.add_argument("--entrypoint", type=json.loads, help="JSON list")
    parser.add_argument("--cmd", type=json.loads, help="JSON list")
    parser.add_argument("folder")
    parser.add_argument("out")
    options = parser.parse_args()
    config = {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "WorkingDir": "/"}
    if options.entrypoint:
        config["Entrypoint"] = options.entrypoint
    if options.cmd:
        config["Cmd"] = options.cmd
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(options.out))) as scratch:
        layer = write_layer(
            f"{scratch}/layer", folder_entries(options.folder), os.path.basename(__file__)
        )
        write_archive(options.out, [layer], config, options.tag)


if __name__ == "__main__":
    main()
