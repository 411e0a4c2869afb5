"""The digests of images' configurations: in an OCI layout, in docker, and in the tars that a Bazel has built."""

import http.client
import json
import os
import socket
import subprocess
import tarfile
import time


def in_store(store):
    try:
        with open(f"{store}/index.json") as file:
            index = json.load(file)
    except FileNotFoundError:
        return {}
    found = {}
    for entry in index["manifests"]:
        name = entry.get("annotations", {}).get("org.opencontainers.image.ref.name", "")
        with open(f"{store}/blobs/{entry['digest'].replace(':', '/')}") as file:
            found[name.removeprefix("lab/").removesuffix(":dev")] = json.load(file)["config"]["digest"]
    return found


def in_tar(path):
    with tarfile.open(path) as tar:
        name = json.load(tar.extractfile("manifest.json"))[0]["Config"]
    return "sha256:" + name.removesuffix(".json")


def content_in_store(store, digest):
    """The text of an image's only file, to show how two states differ."""
    with open(f"{store}/index.json") as file:
        for entry in json.load(file)["manifests"]:
            with open(f"{store}/blobs/{entry['digest'].replace(':', '/')}") as manifest:
                manifest = json.load(manifest)
            if manifest["config"]["digest"] == digest:
                blob = f"{store}/blobs/{manifest['layers'][0]['digest'].replace(':', '/')}"
                with tarfile.open(blob) as tar:
                    return tar.extractfile("content").read().decode()
    return ""


def content_in_tar(path):
    with tarfile.open(path) as tar, tarfile.open(fileobj=tar.extractfile("layer.tar")) as layer:
        return layer.extractfile("content").read().decode()


class Docker:
    """A daemon of its own, whose images lie in a directory of its own."""

    def __init__(self, directory):
        os.makedirs(directory)
        self.directory = directory
        self.socket = f"{directory}/docker.sock"
        self.start()

    def start(self):
        directory = self.directory
        self.process = subprocess.Popen(
            ["dockerd", "--data-root", f"{directory}/root", "--exec-root", f"{directory}/exec", "-H", f"unix://{self.socket}",
             "--pidfile", f"{directory}/pid", "--bridge", "none", "--iptables=false", "--ip6tables=false"],
            stdout=open(f"{directory}/log", "a"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                self.ask("/_ping")
                return
            except OSError:
                time.sleep(0.1)
        self.end()
        raise RuntimeError(f"dockerd did not start; see {directory}/log")

    def restart(self):
        """As a machine's owner does it: it ends in order, perhaps in the middle of a load."""
        self.end()
        self.start()

    def ask(self, path, method="GET"):
        connection = http.client.HTTPConnection("docker")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.socket)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def images(self):
        found = {}
        for image in json.loads(self.ask("/images/json")[1]):
            for name in image["RepoTags"] or []:
                if name.startswith("lab/"):
                    found[name.removeprefix("lab/").removesuffix(":dev")] = image["Id"]
        return found

    def remove(self, name):
        self.ask(f"/images/lab/{name}:dev?force=true", "DELETE")

    def tag(self, name, other):
        """Another hand gives one image the name of another."""
        self.ask(f"/images/lab/{name}:dev/tag?repo=lab/{other}&tag=dev", "POST")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
