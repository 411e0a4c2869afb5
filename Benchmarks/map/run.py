#!/usr/bin/env python3
"""run.py BENCH-MAP WATCHBUILD: from a changed path to the images that it affects, beside what Bazel's own queries take.

Makes a workspace of PACKAGES packages of ten files and IMAGES images (5000 and 300), with a Bazel server of its own, and prints a table.
Ends what it started.
"""

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGES = int(os.environ.get("PACKAGES", 5000))
IMAGES = int(os.environ.get("IMAGES", 300))
ROUNDS = int(os.environ.get("ROUNDS", 5))

MAKE_IMAGE = '''
import hashlib, io, json, sys, tarfile
digest = hashlib.sha256()
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        digest.update(file.read())
layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as tar:
    member = tarfile.TarInfo("digest")
    member.size = 64
    tar.addfile(member, io.BytesIO(digest.hexdigest().encode()))
layer = layer.getvalue()
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
name = hashlib.sha256(config).hexdigest() + ".json"
manifest = json.dumps([{"Config": name, "RepoTags": None, "Layers": ["layer.tar"]}]).encode()
with tarfile.open(sys.argv[1], "w") as tar:
    for path, content in (("layer.tar", layer), (name, config), ("manifest.json", manifest)):
        member = tarfile.TarInfo(path)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
'''

LIBRARY = '''
def library(name, deps = []):
    native.filegroup(name = name, srcs = native.glob(["src/**"]) + deps, visibility = ["//visibility:public"])
'''


def package(number):
    return f"lib/g{number // 100}/p{number}"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def generate(root):
    chance = random.Random(1)
    write(f"{root}/WORKSPACE", "")
    write(f"{root}/.bazelrc", "build --spawn_strategy=local\n")
    write(f"{root}/rules/BUILD", 'exports_files(["mkimage.py"])\n')
    write(f"{root}/rules/library.bzl", LIBRARY)
    write(f"{root}/rules/mkimage.py", MAKE_IMAGE)
    for number in range(PACKAGES):
        # A package reads two of those below it in its group of twenty: some files are in many images, most in a few.
        first = number // 20 * 20
        deps = sorted({f"//{package(chance.randrange(first, number))}:lib" for _ in range(2) if number > first})
        if number // 7 % 5:
            text = f'load("//rules:library.bzl", "library")\nlibrary(name = "lib", deps = {json.dumps(deps)})\n'
        else:
            text = (f'filegroup(name = "lib", srcs = glob(["src/**"]) + {json.dumps(deps)}, '
                    'visibility = ["//visibility:public"])\n')
        write(f"{root}/{package(number)}/BUILD", text)
        for file in range(10):
            write(f"{root}/{package(number)}/src/f{file}.txt", f"{number} {file}\n")
    for number in range(IMAGES):
        # Each has some of its own, so that all packages are some image's.
        own = range(number, PACKAGES, IMAGES)
        deps = json.dumps([f"//{package(dep)}:lib" for dep in own])
        write(f"{root}/img/i{number}/BUILD",
              f'genrule(name = "image", srcs = {deps}, outs = ["image.tar"], tools = ["//rules:mkimage.py"], '
              'cmd = "python3 $(execpath //rules:mkimage.py) $@ $(SRCS)")\n')


class Workspace:
    def __init__(self, directory):
        self.root = f"{directory}/w"
        self.log = f"{directory}/commands"
        self.state = f"{directory}/state"
        self.bazel = f"{directory}/bin/bazel"
        real = shutil.which("bazel") or sys.exit("bench-map: no bazel")
        generate(self.root)
        # Counts, and gives every command the same server of our own.
        write(self.bazel, f'#!/bin/sh\necho "$*" >>{self.log}\nexec {real} --output_user_root={directory}/root "$@"\n')
        os.chmod(self.bazel, 0o755)
        os.makedirs(self.state)

    def run(self, *arguments, output=subprocess.DEVNULL):
        start = time.monotonic()
        subprocess.run([self.bazel, *arguments], cwd=self.root, stdout=output, stderr=subprocess.DEVNULL, check=True)
        return (time.monotonic() - start) * 1e3


def targets():
    return " ".join(f"//img/i{number}:image" for number in range(IMAGES))


def queries(workspace):
    """Bazel's own answers: which images read a file, and what one image is made from."""
    chance = random.Random(2)
    reverse, single = [], []
    for _ in range(ROUNDS):
        file = f"//{package(chance.randrange(PACKAGES))}:src/f3.txt"
        reverse.append(workspace.run(
            "query", "--noshow_progress", "--order_output=no", f"rdeps(set({targets()}), {file}) intersect set({targets()})"))
        image = f"//img/i{chance.randrange(IMAGES)}:image"
        single.append(workspace.run("query", "--noshow_progress", "--order_output=no", f"deps({image})"))
    return statistics.median(reverse), statistics.median(single)


def save(workspace, watchbuild):
    """One source file saved under a real `dev`: Bazel commands, images, and milliseconds."""
    write(f"{workspace.root}/watchbuild.yaml", "images:\n" + "".join(
        f"  - {{ name: i{number}, target: //img/i{number}:image }}\n" for number in range(IMAGES)))
    process = subprocess.Popen(
        [watchbuild, "dev", "--output", "json", "--load", f"oci:{workspace.state}/images"], cwd=workspace.root,
        env={**os.environ, "PATH": f"{os.path.dirname(workspace.bazel)}:{os.environ['PATH']}", "XDG_STATE_HOME": workspace.state},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        events = (json.loads(line) for line in process.stdout)
        next(event for event in events if event["type"] == "ready")
        with open(workspace.log) as log:
            before = len(log.readlines())
        with open(f"{workspace.root}/{package(PACKAGES - 1)}/src/f0.txt", "a") as file:
            file.write("more\n")
        cycle = next(event for event in events if event["type"] == "cycle")
        with open(workspace.log) as log:
            commands = len(log.readlines()) - before
        return commands, cycle["ok"], cycle["timings"]
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        process.wait()


missed = 0


def row(figure, measured, target="", holds=None):
    global missed
    missed += holds is False
    print(f"| {figure} | {measured} | {target} | {'' if holds is None else 'ok' if holds else 'MISSED'} |", flush=True)


def main():
    bench, watchbuild = map(os.path.abspath, sys.argv[1:3])
    directory = os.path.realpath(tempfile.mkdtemp(prefix="watchbuild-bench-map."))
    workspace = Workspace(directory)
    try:
        print(f"{PACKAGES} packages of 10 files, {IMAGES} images; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors\n")
        print("| figure | measured | target | |\n|---|---|---|---|")
        query = ["query", "--noshow_progress", "--color=no", "--keep_going", "--output=streamed_proto", "--order_output=no",
                 "--noproto:default_values", "--noproto:locations", "--proto:output_rule_attrs=none",
                 f"let d = deps(set({targets()})) in $d union buildfiles($d)"]
        cold = workspace.run(*query)
        with open(f"{directory}/answer", "wb") as answer:
            warm = workspace.run(*query, output=answer)
        found = {}
        for mode in ([], ["memory"]):
            result = subprocess.run(
                [bench, workspace.root, str(IMAGES), f"{directory}/answer", workspace.state, *mode], stdout=subprocess.PIPE, text=True)
            if result.returncode:
                sys.exit(result.stdout)
            found.update(line.split("=") for line in result.stdout.splitlines())
        value = {name: float(text) for name, text in found.items()}
        row("changed source file → images, median", f"{value['source']:.4f} ms (p99 {value['source_p99']:.3f}; "
            f"{value['source_images']:.1f} images)", "≤ 0.05 ms", value["source"] <= 0.05)
        row(f"changed .bzl file loaded by {PACKAGES * 4 // 5} packages → all images", f"{value['bzl']:.2f} ms", "≤ 10 ms", value["bzl"] <= 10)
        size = os.path.getsize(f"{directory}/answer") / 1e6
        row(f"query stream ({size:.1f} MB, {value['labels']:.0f} labels) → index", f"{value['parse'] / 1e3:.3f} s", "≤ 0.25 s",
            value["parse"] <= 250)
        row(f"persisted index: load and compare {value['files']:.0f} files", f"{value['load'] / 1e3:.3f} s", "≤ 0.15 s", value["load"] <= 150)
        row("persisted index: save", f"{value['save'] / 1e3:.3f} s")
        row("memory of the index", f"{value['memory'] / 1e6:.1f} MB", "≤ 40 MB", value["memory"] <= 40e6)
        reverse, single = queries(workspace)
        row("beside it: `bazel query` for the index, warm (cold)", f"{warm / 1e3:.1f} s ({cold / 1e3:.1f} s)")
        row("beside it: `bazel query rdeps(…)` for one change", f"{reverse:.0f} ms; {reverse / value['source']:,.0f} × the look-up")
        row("beside it: one `deps` query an image", f"{single:.0f} ms; for {IMAGES} images {single * IMAGES / 1e3:.0f} s")
        commands, images, timings = save(workspace, watchbuild)
        row("Bazel commands for one source save under `dev`", f"{commands}; {images} images; plan {timings['planMs']} ms, "
            f"Bazel {timings['bazelMs']} ms, total {timings['totalMs']} ms", "1", commands == 1)
    finally:
        subprocess.run([workspace.bazel, "shutdown"], cwd=workspace.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["chmod", "-R", "u+w", directory])
        shutil.rmtree(directory, ignore_errors=True)
    print(f"\n{missed} missed" if missed else "\nall reached")


if __name__ == "__main__":
    main()
