#!/usr/bin/env python3
"""save-to-image.py WATCHBUILD [ROUNDS]: from a saved file to the new image ID in dockerd.

Beside it, in the same run and in turns, the floor: a bare `bazel build` of the one target, and a bare POST of a tar that holds
only the layer that changed. Both on copies of samples/storefront, each with a Bazel server of its own, into one dockerd of its own.
Prints a table; ends what it started.
"""

import http.client
import io
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = "storefront/cart:dev"


class Docker(http.client.HTTPConnection):
    """The engine's API over its socket."""

    def __init__(self, path):
        super().__init__("docker")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, body, {"Content-Type": "application/x-tar"} if body else {})
        answer = self.getresponse()
        return answer.status, answer.read()

    def image_id(self):
        status, body = self.ask("GET", f"/images/{REFERENCE}/json")
        return json.loads(body)["Id"] if status == 200 else None


def start_docker(directory):
    path = os.path.join(directory, "docker.sock")
    process = subprocess.Popen(
        ["dockerd", "--data-root", f"{directory}/root", "--exec-root", f"{directory}/exec", "-H", f"unix://{path}",
         "--pidfile", f"{directory}/pid", "--bridge", "none", "--iptables=false", "--ip6tables=false"],
        stdout=open(f"{directory}/log", "w"), stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Docker(path).ask("GET", "/_ping")[0] == 200:
                return process, path
        except OSError:
            time.sleep(0.05)
    process.terminate()
    sys.exit(f"dockerd did not start; see {directory}/log")


def workspace(directory, name):
    path = os.path.join(directory, name)
    shutil.copytree(os.path.join(HERE, "..", "samples", "storefront"), path)
    with open(os.path.join(path, ".bazelrc"), "w") as rc:
        rc.write(f"startup --output_user_root={directory}/{name}-output\nstartup --max_idle_secs=120\n")
    return path


def edit(path, text):
    with open(os.path.join(path, "services/cart/src/cart.routes"), "a") as file:
        file.write(f"GET /cart/{text} {text}\n")


def minimal_tar(path):
    """Manifest, configuration and the last layer of the image that Bazel built: the bare partial load."""
    with tarfile.open(os.path.join(path, "bazel-bin/services/cart/image.tar")) as source:
        manifest = json.load(source.extractfile("manifest.json"))
        names = ["manifest.json", manifest[0]["Config"], manifest[0]["Layers"][-1]]
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as target:
            for name in names:
                member = source.getmember(name)
                target.addfile(member, source.extractfile(member))
    return out.getvalue()


def watched(docker, path, before, round_number):
    start = time.monotonic()
    edit(path, f"watched{round_number}")
    while True:
        current = docker.image_id()
        if current != before:
            return time.monotonic() - start, current
        if time.monotonic() - start > 60:
            sys.exit("no new image in a minute")
        time.sleep(0.002)


def bare(docker, path, round_number):
    edit(path, f"bare{round_number}")
    start = time.monotonic()
    subprocess.run(["bazel", "build", "--color=no", "--curses=no", "--noshow_progress", "//services/cart:image"], cwd=path,
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    build = time.monotonic() - start
    tar = minimal_tar(path)
    start = time.monotonic()
    status, body = docker.ask("POST", "/images/load?quiet=1", tar)
    if status != 200 or b"errorDetail" in body:
        sys.exit(f"the bare load failed: {body.decode()}")
    return build, time.monotonic() - start


def main():
    binary = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    directory = tempfile.mkdtemp(prefix="watchbuild-bench.")
    dockerd, socket_path = start_docker(directory)
    ours, floor = workspace(directory, "ours"), workspace(directory, "floor")
    log = open(f"{directory}/events", "w+")
    environment = {**os.environ, "DOCKER_HOST": f"unix://{socket_path}", "XDG_STATE_HOME": f"{directory}/state"}
    dev = subprocess.Popen([binary, "dev", "--output", "json", "--load", "docker"], cwd=ours, stdout=log, env=environment)
    try:
        docker = Docker(socket_path)
        subprocess.run(["bazel", "build", "//services/..."], cwd=floor, check=True, stderr=subprocess.DEVNULL)
        while '"type":"ready"' not in open(log.name).read():
            if dev.poll() is not None:
                sys.exit("watchbuild ended")
            time.sleep(0.05)
        times, builds, loads = [], [], []
        for number in range(rounds + 1):
            before = docker.image_id()
            elapsed, _ = watched(docker, ours, before, number)
            time.sleep(0.3)
            build, load = bare(docker, floor, number)
            # The first of each warms up.
            if number:
                times.append(elapsed)
                builds.append(build)
                loads.append(load)
        sums = [build + load for build, load in zip(builds, loads)]

        def row(name, values):
            print(f"{name:42} {statistics.median(values) * 1000:7.0f} {min(values) * 1000:7.0f} {max(values) * 1000:7.0f}")

        print(f"one save of one service of five, {rounds} rounds, load average {os.getloadavg()[0]:.1f}")
        print(f"{'ms':42} {'median':>7} {'min':>7} {'max':>7}")
        row("watchbuild: save → image ID in dockerd", times)
        row("bare bazel build + bare partial load", sums)
        row("  bazel build", builds)
        row("  partial load", loads)
        print(f"ratio of the medians {statistics.median(times) / statistics.median(sums):.2f}, "
              f"difference {1000 * (statistics.median(times) - statistics.median(sums)):.0f} ms, of which the debounce is 30")
    finally:
        dev.send_signal(signal.SIGINT)
        dev.wait()
        for path in (ours, floor):
            subprocess.run(["bazel", "shutdown"], cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        dockerd.terminate()
        dockerd.wait()
        shutil.rmtree(directory, ignore_errors=True)


main()
