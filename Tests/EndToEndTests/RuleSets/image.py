"""Writes image files as rules_oci, rules_img and rules_docker lay them out; the actions of the rules beside it.

Everything depends on the inputs alone. An image is told as options: --layer FILE (from the bottom up, again and again),
--command WORD, --arch NAME.
"""

import argparse, gzip, hashlib, io, json, os, shutil, sys, tarfile

OCI = "application/vnd.oci.image."


def digest(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def encoded(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Layer:
    def __init__(self, path):
        self.path = path
        self.data = read(path)
        self.digest = digest(self.data)
        self.is_packed = self.data[:2] == b"\x1f\x8b"
        self.tar = gzip.decompress(self.data) if self.is_packed else self.data
        self.descriptor = {
            "mediaType": OCI + "layer.v1.tar" + ("+gzip" if self.is_packed else ""),
            "digest": "sha256:" + self.digest,
            "size": len(self.data),
        }


class Image:
    def __init__(self, options):
        self.layers = [Layer(path) for path in options.layer]
        self.arch = options.arch
        self.config = encoded({
            "architecture": options.arch,
            "os": "linux",
            "config": {"Cmd": [options.command]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer.tar) for layer in self.layers]},
        })
        self.manifest = encoded({
            "schemaVersion": 2,
            "mediaType": OCI + "manifest.v1+json",
            "config": {
                "mediaType": OCI + "config.v1+json",
                "digest": "sha256:" + digest(self.config),
                "size": len(self.config),
            },
            "layers": [layer.descriptor for layer in self.layers],
        })

    def descriptor(self, **more):
        return dict({
            "mediaType": OCI + "manifest.v1+json",
            "digest": "sha256:" + digest(self.manifest),
            "size": len(self.manifest),
        }, **more)


def write_layout(out, index, documents, layers, link):
    write(out + "/oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    write(out + "/index.json", index)
    blobs = out + "/blobs/sha256/"
    for document in documents:
        write(blobs + digest(document), document)
    for layer in layers:
        path = blobs + layer.digest
        if os.path.lexists(path):
            continue
        if link:
            os.symlink(os.path.relpath(link(layer), os.path.dirname(path)), path)
        else:
            shutil.copyfile(layer.path, path)


def blob_of(bases):
    """Where a layer lies: in the layout of a base that has it, else where it was made."""

    def found(layer):
        for base in bases:
            path = "%s/blobs/sha256/%s" % (base, layer.digest)
            if os.path.lexists(path):
                return path
        return layer.path

    return found


def layout(options):
    image = Image(options)
    index = encoded({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [image.descriptor()]})
    link = blob_of(options.base) if options.link else None
    write_layout(options.out, index, [image.manifest, image.config], image.layers, link)


def index(options):
    """An index of layouts: index.json names the index, and that the manifests. All is copied."""
    manifests = []
    for source in options.layout:
        for entry in json.loads(read(source + "/index.json"))["manifests"]:
            manifest = json.loads(read("%s/blobs/sha256/%s" % (source, entry["digest"][7:])))
            config = json.loads(read("%s/blobs/sha256/%s" % (source, manifest["config"]["digest"][7:])))
            entry["platform"] = {"os": config["os"], "architecture": config["architecture"]}
            manifests.append(entry)
        shutil.copytree(source, options.out, dirs_exist_ok=True)
        for directory, _, names in os.walk(options.out):
            os.chmod(directory, 0o755)
            for name in names:
                os.chmod(os.path.join(directory, name), 0o644)
    inner = encoded({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests})
    write("%s/blobs/sha256/%s" % (options.out, digest(inner)), inner)
    # Neither schemaVersion nor mediaType.
    write(options.out + "/index.json", encoded({"manifests": [{
        "mediaType": OCI + "index.v1+json", "digest": "sha256:" + digest(inner), "size": len(inner),
    }]}))


class Tar:
    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        self.names = set()

    def add(self, name, data):
        if name in self.names:
            return
        self.names.add(name)
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))


def words(options):
    return [word for path in options.tags for word in read(path).decode().split()] + options.tag


def host_manifest(source):
    """The manifest of a layout, through an index if there is one: the first."""
    entry = json.loads(read(source + "/index.json"))["manifests"][0]
    document = read("%s/blobs/sha256/%s" % (source, entry["digest"][7:]))
    if "manifests" in json.loads(document):
        entry = json.loads(document)["manifests"][0]
        document = read("%s/blobs/sha256/%s" % (source, entry["digest"][7:]))
    return entry, json.loads(document)


def tarball(options):
    """What rules_oci makes of a layout: layers are called .tar.gz whatever they are."""
    source = options.layout[0]
    entry, manifest = host_manifest(source)
    tar = Tar(options.out)
    blob = lambda digest: read("%s/blobs/sha256/%s" % (source, digest[7:]))
    if options.format == "oci":
        manifests = []
        for name in words(options):
            manifests.append(dict(entry, annotations={"org.opencontainers.image.ref.name": name}))
        tar.add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        tar.add("index.json", encoded({"schemaVersion": 2, "manifests": manifests}))
        for part in [entry, manifest["config"]] + manifest["layers"]:
            tar.add("blobs/sha256/" + part["digest"][7:], blob(part["digest"]))
        return tar.tar.close()
    name = lambda layer: "blobs/sha256/%s.tar.gz" % layer["digest"][7:]
    config = "blobs/sha256/" + manifest["config"]["digest"][7:]
    tar.add(config, blob(manifest["config"]["digest"]))
    for layer in manifest["layers"]:
        tar.add(name(layer), blob(layer["digest"]))
    tar.add("manifest.json", encoded([{
        "Config": config, "RepoTags": words(options), "Layers": [name(layer) for layer in manifest["layers"]],
    }]))
    tar.tar.close()


def legacy(options):
    """The tar of rules_docker: one manifest entry an image, layers uncompressed in directories."""
    tar, entries, repositories = Tar(options.out), [], {}
    for source in options.image:
        told = json.loads(read(source))
        parser_options = parse(["layout", options.out] + told["options"])
        image, tags = Image(parser_options), told["tags"]
        names = []
        for layer in image.layers:
            name = digest(layer.tar)
            tar.add(name + "/VERSION", b"1.0")
            tar.add(name + "/layer.tar", layer.tar)
            tar.add(name + "/json", encoded({"id": name}))
            names.append(name + "/layer.tar")
        config = digest(image.config) + ".json"
        tar.add(config, image.config)
        entries.append({"Config": config, "RepoTags": tags, "Layers": names})
        for tag in tags:
            repository, _, version = tag.rpartition(":")
            repositories.setdefault(repository, {})[version] = digest(image.layers[-1].tar)
    tar.add("manifest.json", encoded(entries))
    tar.add("repositories", encoded(repositories))
    tar.tar.close()


def manifest(options):
    """The small files of an image of rules_img: manifest and configuration."""
    image = Image(options)
    write(options.out, image.manifest)
    write(options.config, image.config)


def shallow(options):
    if not options.missing:
        return
    sys.stderr.write(
        "missing blobs:\n  %s\n\n"
        "\"%s\" output group requested with shallow base image. You probably want to add the \"layer_handling\" attribute "
        "to the pull rule of your base image (choose \"lazy\" or \"eager\", but NOT \"shallow\").\n"
        % ("\n  ".join(options.missing), options.format))
    sys.exit(1)


def img_layout(options):
    shallow(options)
    image = Image(options)
    # The index.json of an image says nothing of names. The configuration is a link, too.
    entries = encoded({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [image.descriptor()]})
    link = (lambda layer: layer.path) if options.link else None
    write_layout(options.out, entries, [image.manifest], image.layers, link)
    path = "%s/blobs/sha256/%s" % (options.out, digest(image.config))
    if options.link:
        os.symlink(os.path.relpath(options.config, os.path.dirname(path)), path)
    else:
        write(path, image.config)


def sparse(options):
    """A layout without the bytes of its layers."""
    image = Image(options)
    entries = encoded({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [image.descriptor()]})
    write_layout(options.out, entries, [image.manifest, image.config], [], None)
    for layer in image.layers:
        write("%s/blobs/sha256/%s.descriptor.json" % (options.out, layer.digest), encoded(layer.descriptor))


def docker_save(options):
    """The tar of an image_load: a layout and a docker archive in one, `image:latest` where there is no name."""
    shallow(options)
    image, tar = Image(options), Tar(options.out)
    blob = lambda data: "blobs/sha256/" + digest(data)
    tags = options.tag or ["image:latest"]
    tar.add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    tar.add("index.json", encoded({"schemaVersion": 2, "manifests": [
        image.descriptor(annotations={"org.opencontainers.image.ref.name": tag}) for tag in tags]}))
    for data in [image.manifest, image.config] + [layer.data for layer in image.layers]:
        tar.add(blob(data), data)
    tar.add("manifest.json", encoded([{
        "Config": blob(image.config), "RepoTags": tags, "Layers": [blob(layer.data) for layer in image.layers],
    }]))
    tar.tar.close()


def deploy(options):
    """What an image_load is to do: names, and where the layers come from that are not here."""
    image = Image(options)
    blobs = []
    for layer in image.layers:
        blob = dict(layer.descriptor)
        if layer.path in options.pulled:
            blob["sources"] = [{"registry": options.source_registry, "repository": options.source_repository}]
        blobs.append(blob)
    operation = {"command": "load", "root_kind": "manifest", "root": image.descriptor(),
                 "manifests": [{"descriptor": image.descriptor(), "layer_blobs": blobs}]}
    for key in ["registry", "repository"]:
        if getattr(options, key):
            operation[key] = getattr(options, key)
    if options.tag:
        operation["tags"] = options.tag
    write(options.out, encoded({"operations": [operation], "settings": {}}))


def make_layer(options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for source in options.source:
            data = read(source)
            info = tarfile.TarInfo(options.command.lstrip("/") + "/" + os.path.basename(source))
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    data = out.getvalue()
    write(options.out, gzip.compress(data, mtime=0) if options.out.endswith(".gz") else data)


def parse(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("make")
    parser.add_argument("out")
    for name in ["layer", "base", "layout", "tags", "tag", "image", "missing", "pulled", "source"]:
        parser.add_argument("--" + name, action="append", default=[])
    for name in ["command", "config", "format", "registry", "repository", "source_registry", "source_repository"]:
        parser.add_argument("--" + name, default="")
    parser.add_argument("--arch", default="amd64")
    parser.add_argument("--link", action="store_true")
    return parser.parse_args(arguments)


options = parse(sys.argv[1:])
globals()[options.make](options)
