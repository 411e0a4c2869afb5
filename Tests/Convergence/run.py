#!/usr/bin/env python3
"""run.py WATCHBUILD: whatever is done to a workspace, in the end every image is what a clean build makes.

A generated workspace, `watchbuild dev` in it with an OCI layout and a dockerd of its own, and an adversary with random operations
at random speed. At random moments it repairs what it broke, waits by `watchbuild wait`, and compares every image in both places
with what another Bazel server builds of a copy that nobody touched meanwhile. One stale image fails the run.

With FAULTS=1 programs are killed, stopped and started anew meanwhile, and other hands give Bazel commands.

From the environment: SEED (a random one), OPS (operations; 0: no limit), MINUTES (3), BAZEL (a program; bazel), BAZELRC (a file
whose lines its workspaces need), WATCHFS (always), DOCKER (1). Prints a line a checkpoint and a closing line; exit code 1
where an image was stale, with all that is needed to see why, 2 where the test itself could not go on.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import images
from adversary import Adversary
from faults import Faults
from workspace import IMAGES, Workspace


class Stale(Exception):
    pass


class Run:
    def __init__(self, watchbuild, home):
        self.seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
        self.limit = int(os.environ.get("OPS") or 0)
        self.minutes = float(os.environ.get("MINUTES") or 3)
        self.bazel = shutil.which(os.environ.get("BAZEL") or "bazel")
        rc = os.environ.get("BAZELRC")
        self.watchbuild, self.home = watchbuild, home
        self.workspace = Workspace(f"{home}/live", self.seed, open(rc).read() if rc else "")
        self.adversary = Adversary(self.workspace, self.seed + 1)
        self.chance = random.Random(self.seed + 2)
        self.faults = Faults(self, self.seed + 3) if os.environ.get("FAULTS") == "1" else None
        self.docker = images.Docker(f"{home}/docker") if os.environ.get("DOCKER", "1") == "1" else None
        self.store = f"{home}/store"
        self.log = f"{home}/dev.log"
        self.checkpoints = self.operations = 0
        self.image_count = IMAGES
        for name in ("live", "clean"):
            path = f"{home}/{name}/bin/bazel"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(f'#!/bin/sh\nexec {self.bazel} --output_user_root={home}/{name}/root --max_idle_secs=300 "$@"\n')
            os.chmod(path, 0o755)
        # So that saves meet a server that watches, in a workspace of this size too; BAZEL would pass by the program above.
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "BAZEL"}, "PATH": f"{home}/live/bin:{os.environ['PATH']}", "XDG_STATE_HOME": f"{home}/state",
            "XDG_RUNTIME_DIR": f"{home}/run", "WATCHBUILD_LOG": "debug",
            "WATCHBUILD_WATCHFS": os.environ.get("WATCHFS", "always"),
            **({"DOCKER_HOST": f"unix://{self.docker.socket}"} if self.docker else {})}
        os.makedirs(f"{home}/run", mode=0o700)
        self.start()

    def start(self):
        events = f"{self.home}/events"
        self.started = os.path.getsize(events) if os.path.exists(events) else 0
        loads = ["--load", f"oci:{self.store}"] + (["--load", "docker"] if self.docker else [])
        self.dev = subprocess.Popen(
            [self.watchbuild, "dev", "--output", "json", *loads], cwd=self.workspace.root, env=self.environment,
            stdout=open(f"{self.home}/events", "a"), stderr=open(self.log, "a"))

    def wait(self):
        return subprocess.run(
            [self.watchbuild, "wait", "--for", "loaded", "--timeout", "300s"], cwd=self.workspace.root, env=self.environment,
            capture_output=True, text=True)

    def clean(self):
        """What a server makes that has never seen a file change under it."""
        self.workspace.copy(f"{self.home}/clean")
        targets = [f"//img/i{number}:image" for number in range(IMAGES)]
        for _ in range(2):
            result = subprocess.run(
                [f"{self.home}/clean/bin/bazel", "build", "--color=no", "--curses=no", "--noshow_progress", *targets],
                cwd=f"{self.home}/clean/workspace", capture_output=True, text=True)
            if result.returncode == 0:
                return {f"i{number}": images.in_tar(self.tar(number)) for number in range(IMAGES)}
        raise RuntimeError(f"the clean copy does not build:\n{result.stderr}")

    def tar(self, number):
        return f"{self.home}/clean/workspace/bazel-bin/img/i{number}/image.tar"

    def checkpoint(self):
        self.adversary.repair()
        if self.faults:
            self.faults.settle()
            self.until_ready()
        began = time.monotonic()
        result = self.wait()
        waited = time.monotonic() - began
        if self.dev.poll() is not None:
            raise RuntimeError(f"dev ended with {self.dev.returncode}; see {self.log}")
        if result.returncode != 0:
            raise Stale(f"wait ended with {result.returncode}: {result.stdout}{result.stderr}")
        expected = self.clean()
        # What another hand took from a runtime is brought back by itself, a while after.
        while (stale := self.stale(expected)) and self.faults and time.monotonic() < self.faults.lost_until:
            time.sleep(0.5)
        if stale:
            raise Stale(stale)
        self.checkpoints += 1
        print(f"convergence: seed {self.seed}: {self.operations} operations, checkpoint {self.checkpoints}: "
              f"{IMAGES} images as they should be, after {waited:.1f} s", flush=True)

    def stale(self, expected):
        """The first image that is not what a clean build makes, in words."""
        places = {"store": images.in_store(self.store)} | ({"docker": self.docker.images()} if self.docker else {})
        for place, found in places.items():
            for number in range(IMAGES):
                name = f"i{number}"
                if found.get(name) != expected[name]:
                    return (f"{name} in {place} is {found.get(name)}, a clean build makes {expected[name]}\n"
                            + self.difference(number, found.get(name)))
        return None

    def difference(self, number, digest):
        import difflib
        try:
            old = images.content_in_store(self.store, digest).splitlines()
        except FileNotFoundError:
            old = []
        new = images.content_in_tar(self.tar(number)).splitlines()
        return "\n".join(list(difflib.unified_diff(old, new, "held", "clean", lineterm="", n=1))[:60])

    def go(self):
        end = time.monotonic() + self.minutes * 60
        self.until_ready()
        self.checkpoint()
        while time.monotonic() < end and not (self.limit and self.operations >= self.limit):
            for _ in range(self.chance.choice([1, 3, 10, 25, 60])):
                self.adversary.step()
                self.operations += 1
                if self.faults and self.chance.random() < 0.1:
                    self.adversary.told.append(self.faults.step())
            self.checkpoint()

    def until_ready(self):
        """Waits until this `dev` has its socket; what was saved before it began is its own to find."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            with open(f"{self.home}/events") as file:
                if '"type":"ready"' in file.read()[self.started:]:
                    return
            if self.dev.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError(f"dev did not get ready; see {self.log}")

    def end(self):
        if self.dev.poll() is None:
            self.dev.send_signal(signal.SIGINT)
            try:
                self.dev.wait(60)
            except subprocess.TimeoutExpired:
                self.dev.kill()
        for name in ("live", "clean"):
            subprocess.run([f"{self.home}/{name}/bin/bazel", "shutdown"], cwd=f"{self.home}/{name}/workspace",
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.docker:
            self.docker.end()


def main():
    home = os.path.realpath(tempfile.mkdtemp(prefix="watchbuild-convergence."))
    run = Run(os.path.abspath(sys.argv[1]), home)
    label = f"convergence: seed {run.seed}, {run.bazel}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run.go()
    except Stale as error:
        print("\n".join(run.adversary.told[-80:]))
        print(f"{label}: STALE after {run.operations} operations: {error}\nlogs, events and both workspaces: {home}", flush=True)
        run.end()
        sys.exit(1)
    except BaseException as error:
        run.end()
        print(f"{label}: could not go on after {run.operations} operations: {error!r}\nin {home}", flush=True)
        sys.exit(2)
    run.end()
    subprocess.run(["chmod", "-R", "u+w", home])
    shutil.rmtree(home, ignore_errors=True)
    print(f"{label}: {run.operations} operations ({run.adversary.refused} not possible), {run.checkpoints} checkpoints, "
          "no image stale", flush=True)


main()
