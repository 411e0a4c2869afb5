#!/usr/bin/env python3
"""measure.py WATCHBUILD [ROUNDS]: how watchbuild uses Bazel, against bare `bazel build` in the same run.

1. From the moment an image's tar is complete to the moment its load begins, while Bazel builds other images.
2. What a cycle of ten images takes beyond a bare `bazel build` of the same ten, in turns, each with a server of its own.
3. N images built by one grouped command, by N commands one after the other, and by N at once.

Prints tables; ends what it started.
"""

import datetime
import hashlib
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

QUIET = ["--color=no", "--curses=no", "--noshow_progress"]


def image_tar():
    """The smallest docker-archive that loads; its one layer is empty."""
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    digest = "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": [digest]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["bench:dev"], "Layers": ["layer.tar"]}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in [("manifest.json", manifest), ("config.json", config), ("layer.tar", layer.getvalue())]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


class Workspace:
    """Images that each sleep for a while and then copy a tar, with a Bazel server of their own."""

    def __init__(self, directory, name, count, sleep):
        self.path = os.path.join(directory, name)
        self.count = count
        self.state = os.path.join(directory, name + "-state")
        os.makedirs(self.path)
        open(os.path.join(self.path, "WORKSPACE"), "w").close()
        with open(os.path.join(self.path, ".bazelrc"), "w") as rc:
            rc.write(f"startup --output_user_root={directory}/{name}-output\nstartup --max_idle_secs=300\n")
        with open(os.path.join(self.path, "image.seed"), "wb") as seed:
            seed.write(image_tar())
        with open(os.path.join(self.path, "BUILD"), "w") as build:
            for number in range(count):
                build.write(
                    f'genrule(name = "i{number}", srcs = ["i{number}.txt", "image.seed"], outs = ["i{number}.tar"], local = True,\n'
                    f'        cmd = "sleep {sleep(number)}; cat $(location image.seed) > $@")\n')
        self.edit("0")

    def edit(self, text, count=None):
        for number in range(self.count if count is None else count):
            with open(os.path.join(self.path, f"i{number}.txt"), "w") as file:
                file.write(text)

    def labels(self, count=None):
        return [f"//:i{number}" for number in range(self.count if count is None else count)]

    def start(self, *labels):
        return subprocess.Popen(["bazel", "build", *QUIET, *labels], cwd=self.path, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def bare(self, *labels):
        start = time.monotonic()
        if self.start(*labels).wait() != 0:
            sys.exit("a bare build failed")
        return time.monotonic() - start

    def watchbuild(self, arguments, **more):
        environment = {**os.environ, "XDG_STATE_HOME": self.state}
        return subprocess.Popen([BINARY, *arguments], cwd=self.path, env=environment, **more)

    def end(self):
        subprocess.run(["bazel", "shutdown"], cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def milliseconds(value):
    return f"{value * 1000:.0f}"


def spread(name, values):
    values = sorted(values)
    tenth = values[int(len(values) * 0.1)], values[min(len(values) - 1, int(len(values) * 0.9))]
    cells = [statistics.median(values), values[0], tenth[0], tenth[1], values[-1]]
    print(f"| {name} | {' | '.join(milliseconds(cell) for cell in cells)} |", flush=True)


def load_average():
    return f"load average {os.getloadavg()[0]:.1f}"


def pipelining(directory, rounds):
    """Tar complete to load begun: the tar's own time of change against the `built` event, which is told as the load is queued."""
    print(f"\n{load_average()}, {rounds} rounds of 8 images that end 0.2 s apart\n")
    print("| ms | median | min | p10 | p90 | max |\n|---|---|---|---|---|---|")
    workspace = Workspace(directory, "pipeline", 8, lambda number: 0.2 * (number + 1))
    try:
        workspace.bare("--jobs=8", *workspace.labels())
        lags = []
        for number in range(rounds):
            workspace.edit(f"round {number}")
            run = workspace.watchbuild(
                ["build", *workspace.labels(), "--load", f"oci:{directory}/images", "--output", "json", "--", "--jobs=8"],
                stdout=subprocess.PIPE, text=True)
            output, _ = run.communicate()
            for line in output.splitlines():
                event = json.loads(line)
                if event.get("status") == "built":
                    tar = os.path.join(workspace.path, "bazel-bin", event["target"].split(":")[1] + ".tar")
                    told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
                    lags.append(told - os.stat(tar).st_mtime)
        spread("tar complete → load begun", lags)
    finally:
        workspace.end()


def overhead(directory, rounds):
    print(f"\n{load_average()}, {rounds} rounds, ten images\n")
    print("| ms | median | min | p10 | p90 | max |\n|---|---|---|---|---|---|")
    ours, floor = (Workspace(directory, name, 10, lambda number: 0) for name in ("ours", "floor"))
    log = open(f"{directory}/events", "w+")
    dev = ours.watchbuild(["dev", *ours.labels(), "--load", "none", "--output", "json", "--debounce", "100ms"], stdout=log)
    try:
        floor.bare(*floor.labels())

        def cycles():
            with open(log.name) as file:
                events = [json.loads(line) for line in file.read().splitlines() if line.endswith("}")]
            return [event for event in events if event["type"] == "cycle" and event["ok"] == 10]

        while not cycles():
            if dev.poll() is not None:
                sys.exit("watchbuild ended")
            time.sleep(0.05)
        totals, bazels, bares, phases = [], [], [], []
        for number in range(rounds + 1):
            known = len(cycles())
            ours.edit(f"ours {number}")
            while len(cycles()) == known:
                time.sleep(0.02)
            ended = cycles()[-1]
            floor.edit(f"floor {number}")
            bare = floor.bare(*floor.labels())
            # The first of each warms up.
            if number:
                timings = ended["timings"]
                totals.append((timings["totalMs"] - timings["windowMs"]) / 1000)
                bazels.append(timings["bazelMs"] / 1000)
                bares.append(bare)
                phases.append(sum(ms for name, ms in ended.get("phases", {}).items() if name != "criticalPathMs") / 1000)
        spread("a cycle, from the closed window to its end", totals)
        spread("of it Bazel's client and server", bazels)
        spread("of it Bazel's own phases", phases)
        spread("bare `bazel build`", bares)
        more = statistics.median(totals) - statistics.median(bares)
        best = min(totals) - min(bares)
        print(f"\nBeyond the bare build: {milliseconds(more)} ms of the medians, {milliseconds(best)} ms of the minima; target 60.")
    finally:
        dev.send_signal(signal.SIGINT)
        dev.wait()
        for workspace in (ours, floor):
            workspace.end()


def grouping(directory, sizes):
    print(f"\n{load_average()}, one round each; every image sleeps 0.3 s\n")
    print("| images | watchbuild, one group (s) | N commands, serial | N commands, concurrent | serial / one | concurrent / one |")
    print("|---|---|---|---|---|---|")
    workspace = Workspace(directory, "groups", max(sizes), lambda number: 0.3)
    try:
        workspace.bare(*workspace.labels())
        for size in sizes:
            labels = workspace.labels(size)
            workspace.edit(f"grouped {size}", size)
            start = time.monotonic()
            if workspace.watchbuild(["build", *labels, "--load", "none", "-q"], stderr=subprocess.DEVNULL).wait() != 0:
                sys.exit("watchbuild build failed")
            grouped = time.monotonic() - start
            workspace.edit(f"serial {size}", size)
            serial = sum(workspace.bare(label) for label in labels)
            workspace.edit(f"concurrent {size}", size)
            start = time.monotonic()
            for process in [workspace.start(label) for label in labels]:
                process.wait()
            concurrent = time.monotonic() - start
            print(f"| {size} | {grouped:.2f} | {serial:.2f} | {concurrent:.2f} | {serial / grouped:.2f} | {concurrent / grouped:.2f} |",
                  flush=True)
    finally:
        workspace.end()


BINARY = os.path.abspath(sys.argv[1])


def main():
    # So that what was started is ended then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    directory = tempfile.mkdtemp(prefix="watchbuild-bench.")
    try:
        pipelining(directory, rounds)
        overhead(directory, rounds)
        grouping(directory, [2, 5, 10, 20])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
