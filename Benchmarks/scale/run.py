#!/usr/bin/env python3
"""run.py WATCHBUILD: from a saved file to the loaded image in a large workspace, beside a bare `bazel build` of that image.

Makes two copies of a workspace of PACKAGES packages of ten files and IMAGES images (5000 and 300), each with a Bazel server
of its own, and saves ROUNDS (9) times in each, in turns: a source file, a new file under a glob, a line of a BUILD file.
Does so with each Bazel of BAZELS, names or paths, by default the installed one and the newer one of the tests if it is there.
The bare build loads nothing. Prints a table; ends what it started.
"""

import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NEWER = "/var/cache/watchbuild-tests/newer-bazel"
ROUNDS = int(os.environ.get("ROUNDS", 9))


def load_map():
    spec = importlib.util.spec_from_file_location("map_run", os.path.join(HERE, "../map/run.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAP = load_map()


class Workspace:
    def __init__(self, directory, bazel):
        self.root = f"{directory}/w"
        self.state = f"{directory}/state"
        self.bazel = f"{directory}/bin/bazel"
        MAP.generate(self.root)
        if bazel.startswith(NEWER):
            with open(f"{NEWER}/workspace.bazelrc") as file, open(f"{self.root}/.bazelrc", "a") as rc:
                rc.write(file.read())
        MAP.write(f"{self.root}/watchbuild.yaml", "images:\n" + "".join(
            f"  - {{ name: i{number}, target: //img/i{number}:image }}\n" for number in range(MAP.IMAGES)))
        MAP.write(self.bazel, f'#!/bin/sh\nexec {bazel} --output_user_root={directory}/root "$@"\n')
        os.chmod(self.bazel, 0o755)
        os.makedirs(self.state)

    def build(self, *targets):
        start = time.monotonic()
        subprocess.run([self.bazel, "build", *targets], cwd=self.root, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - start

    def end(self):
        subprocess.run([self.bazel, "shutdown"], cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Dev:
    def __init__(self, watchbuild, workspace):
        start = time.monotonic()
        self.process = subprocess.Popen(
            [watchbuild, "dev", "--output", "json", "--load", f"oci:{workspace.state}/images"], cwd=workspace.root,
            env={**os.environ, "PATH": f"{os.path.dirname(workspace.bazel)}:{os.environ['PATH']}",
                 "XDG_STATE_HOME": workspace.state},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.next("ready")
        self.ready = time.monotonic() - start

    def next(self, kind):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["type"] == kind:
                return event
        sys.exit(f"bench-scale: watchbuild ended with {self.process.wait()}")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.close()
        self.process.wait()


def edits(count):
    """Of one package that few images are made from."""
    place = MAP.package(MAP.PACKAGES - 1)

    def save(root):
        with open(f"{root}/{place}/src/f0.txt", "a") as file:
            file.write(f"more {count}\n")

    def new(root):
        MAP.write(f"{root}/{place}/src/new{count}.txt", "new\n")

    def rule(root):
        with open(f"{root}/{place}/BUILD", "a") as file:
            file.write(f'filegroup(name = "more{count}", srcs = ["src/f1.txt"])\n')

    return {"a source file": save, "a new file under a glob": new, "a line of a BUILD file": rule}


def image():
    return f"//img/i{(MAP.PACKAGES - 1) % MAP.IMAGES}:image"


def seconds(values):
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


def measure(watchbuild, bazel, directory):
    bare, watched = (Workspace(f"{directory}/{name}", bazel) for name in ("bare", "watched"))
    try:
        bare.build(*(f"//img/i{number}:image" for number in range(MAP.IMAGES)))
        first = Dev(watchbuild, watched)
        first.end()
        dev = Dev(watchbuild, watched)
        times = {}
        cpu = []
        # The first saves meet a server that has not begun to watch.
        for count in range(ROUNDS + 2):
            for name, edit in edits(count).items():
                edit(bare.root)
                alone = bare.build(image())
                spent = dev.cpu()
                start = time.monotonic()
                edit(watched.root)
                cycle = dev.next("cycle")
                took = time.monotonic() - start
                if count > 1:
                    if name == "a source file":
                        cpu.append(dev.cpu() - spent)
                    times.setdefault(name, []).append((alone, took, cycle["ok"]))
            # So that the next plain save goes by the watch, as most do.
            for _ in range(2):
                edits(f"{count} again")["a source file"](watched.root)
                dev.next("cycle")
        version = subprocess.run([bare.bazel, "info", "release"], cwd=bare.root, capture_output=True, text=True).stdout
        for name, values in times.items():
            alone, took, images = zip(*values)
            ratio = statistics.median(took) / statistics.median(alone)
            print(f"| {bazel.split('/')[-1] if '/' not in bazel else 'newer'} {version.strip()} | {name} | {images[-1]} | "
                  f"{seconds(took)} | {seconds(alone)} | {ratio:.2f} × |", flush=True)
        print(f"| | `dev` to ready, kept index | | {dev.ready:.2f} s | | |")
        print(f"| | its own CPU a save; memory | | {statistics.median(cpu) * 1e3:.0f} ms; {dev.memory():.0f} MB | | |", flush=True)
        dev.end()
    finally:
        bare.end()
        watched.end()


def main():
    watchbuild = os.path.abspath(sys.argv[1])
    bazels = os.environ.get("BAZELS", "").split() or ["bazel"] + (
        [f"{NEWER}/bin/bazel"] if os.path.exists(f"{NEWER}/workspace.bazelrc") else [])
    print(f"{MAP.PACKAGES} packages of 10 files, {MAP.IMAGES} images; load {os.getloadavg()[0]:.1f}; "
          f"{os.cpu_count()} processors; {ROUNDS} rounds\n")
    print("| Bazel | saved | images | save to loaded | beside it: bare build of one image | ratio |\n|---|---|---|---|---|---|")
    for bazel in bazels:
        directory = os.path.realpath(tempfile.mkdtemp(prefix="watchbuild-bench-scale."))
        try:
            measure(watchbuild, bazel, directory)
        finally:
            subprocess.run(["chmod", "-R", "u+w", directory])
            shutil.rmtree(directory, ignore_errors=True)


main()
