"""What goes wrong around a workspace: programs that are killed, stopped or started anew, and other hands' commands."""

import glob
import os
import random
import shutil
import signal
import subprocess
import time


class Faults:
    def __init__(self, run, seed):
        self.run = run
        self.chance = random.Random(seed)
        self.others = []
        # Until then what another hand took away may be missing: docker tells at once, the store is looked at each minute.
        self.lost_until = 0.0

    WEIGHTS = [
        ("kill_server", 3), ("stop_server", 3), ("shut_down", 2), ("clean", 1), ("foreign_build", 3), ("kill_dev", 3),
        ("remove_state", 1), ("restart_docker", 2),
        ("remove_image", 3), ("retag_image", 2), ("empty_store", 1),
    ]

    def step(self):
        names, weights = zip(*self.WEIGHTS)
        name = self.chance.choices(names, weights)[0]
        return f"{name} {getattr(self, name)() or ''}"

    # MARK: Bazel

    def server(self):
        for path in glob.glob(f"{self.run.home}/live/root/*/server/server.pid.txt"):
            with open(path) as file:
                identifier = int(file.read() or 0)
            if identifier and os.path.exists(f"/proc/{identifier}"):
                return identifier
        return None

    def kill_server(self):
        server = self.server()
        if server:
            os.kill(server, signal.SIGKILL)

    def stop_server(self):
        server = self.server()
        if server:
            os.kill(server, signal.SIGSTOP)
            time.sleep(self.chance.choice([0.1, 1, 2]))
            os.kill(server, signal.SIGCONT)

    def bazel(self, *arguments):
        self.others.append(subprocess.Popen(
            [f"{self.run.home}/live/bin/bazel", *arguments], cwd=self.run.workspace.root,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def shut_down(self):
        self.bazel("shutdown")

    def clean(self):
        self.bazel("clean")

    def foreign_build(self):
        self.bazel("build", *self.chance.choice([[], ["-c", "opt"], ["--watchfs"]]), "//lib/...", "//img/i0:image")

    # MARK: watchbuild and its surroundings

    def kill_dev(self):
        self.run.dev.kill()
        self.run.dev.wait()
        time.sleep(self.chance.choice([0, 1]))
        self.run.start()

    def remove_state(self):
        shutil.rmtree(f"{self.run.home}/state", ignore_errors=True)

    def restart_docker(self):
        if self.run.docker:
            self.run.docker.restart()

    # MARK: Images

    def remove_image(self):
        if self.run.docker:
            name = self.image()
            self.run.docker.remove(name)
            self.lose(20)
            return name

    def retag_image(self):
        if self.run.docker:
            name, other = self.image(), self.image()
            self.run.docker.tag(name, other)
            self.lose(20)
            return f"{name} as {other}"

    def empty_store(self):
        try:
            os.remove(f"{self.run.store}/index.json")
        except FileNotFoundError:
            pass
        self.lose(90)

    def image(self):
        return f"i{self.chance.randrange(self.run.image_count)}"

    def lose(self, seconds):
        self.lost_until = max(self.lost_until, time.monotonic() + seconds)

    def settle(self):
        """Other hands' commands end before anything is compared."""
        for other in self.others:
            other.wait(300)
        self.others = []
