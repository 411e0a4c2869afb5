"""Random operations on a workspace, at random speed, each of which says what it did; and the repair of what they broke."""

import os
import random
import subprocess
import time

from workspace import IMAGES, PACKAGES, package, write


class Adversary:
    def __init__(self, workspace, seed):
        self.workspace = workspace
        self.root = workspace.root
        self.chance = random.Random(seed)
        self.told = []
        # Operations that the workspace's state did not admit.
        self.refused = 0
        # Paths with what repairs them: what they held before they were broken.
        self.broken = {}
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start")

    def git(self, *arguments):
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        subprocess.run(["git", "-C", self.root, *arguments], env=environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def step(self):
        operation = self.chance.choices(*zip(*[(getattr(self, name), weight) for name, weight in self.WEIGHTS]))[0]
        told = f"{operation.__name__} {self.attempt(operation)}"
        self.told.append(f"{time.strftime('%H:%M:%S')}.{int(time.time() * 1000) % 1000:03} {told}")
        pause = self.chance.choice([0, 0, 0.005, 0.02, 0.05, 0.1, 0.4, 1.0])
        time.sleep(pause)

    def attempt(self, operation):
        """What cannot be done now, because of what was done before, is one more state to be in."""
        try:
            return operation() or ""
        except (OSError, subprocess.CalledProcessError) as error:
            self.refused += 1
            if self.refused > 20 + len(self.told) // 5:
                raise RuntimeError("the adversary can do hardly anything any more") from error
            return f"could not: {error}"

    WEIGHTS = [
        ("edit", 24), ("replace", 14), ("undo", 8), ("twice", 8), ("create", 7), ("delete", 6), ("rename", 4), ("swap_directory", 2),
        ("rename_directory", 2), ("burst", 2), ("edit_build", 5), ("edit_macro", 2), ("edit_script", 1), ("lock", 2), ("near", 4),
        ("linked", 4), ("relink", 2), ("break_build", 2), ("break_source", 2), ("stash", 1), ("checkout", 1), ("touch", 3), ("mode", 2),
        ("temporary", 3), ("output", 2),
    ]

    # MARK: Files

    def source(self):
        for _ in range(100):
            folder = f"{self.root}/{package(self.chance.randrange(PACKAGES))}/src"
            if os.path.isdir(folder):
                files = sorted(name for name in os.listdir(folder) if os.path.isfile(f"{folder}/{name}"))
                if files:
                    return f"{folder}/{self.chance.choice(files)}"
        raise RuntimeError("no sources are left")

    def text(self):
        return f"{self.chance.choice('xyz')} {self.chance.randrange(4)}\n"

    def short(self, path):
        return os.path.relpath(path, os.path.dirname(self.root))

    def edit(self):
        path = self.source()
        write(path, self.text())
        return self.short(path)

    def replace(self):
        """As editors do: a new file renamed over the old."""
        path = self.source()
        write(path + "~", self.text())
        os.rename(path + "~", path)
        return self.short(path)

    def undo(self):
        """Another content, and the old one again while something may run."""
        path = self.source()
        with open(path) as file:
            old = file.read()
        write(path, "other " + self.text())
        time.sleep(self.chance.choice([0.01, 0.05, 0.2, 0.6]))
        write(path, old)
        return self.short(path)

    def twice(self):
        path = self.source()
        for _ in range(self.chance.randrange(2, 5)):
            write(path, self.text())
            time.sleep(self.chance.choice([0, 0.03, 0.3]))
        return self.short(path)

    def create(self):
        path = f"{self.root}/{package(self.chance.randrange(PACKAGES))}/src/{self.chance.choice(['a', 'b/c', 'd/e/f'])}.txt"
        if any(os.path.isfile(path[:index]) for index in range(len(self.root) + 1, len(path)) if path[index] == "/"):
            return "nothing"
        write(path, self.text())
        return self.short(path)

    def delete(self):
        path = self.source()
        if len(os.listdir(os.path.dirname(path))) > 1:
            os.unlink(path)
        return self.short(path)

    def rename(self):
        path = self.source()
        other = os.path.join(os.path.dirname(path), self.chance.choice(["g.txt", "h.txt", "i.txt"]))
        os.rename(path, other)
        return f"{self.short(path)} to {os.path.basename(other)}"

    def rename_directory(self):
        folder = os.path.dirname(self.source())
        if os.path.basename(folder) == "src":
            return "nothing"
        other = os.path.join(os.path.dirname(folder), self.chance.choice(["k", "l"]))
        if os.path.exists(other):
            return "nothing"
        os.rename(folder, other)
        return f"{self.short(folder)} to {os.path.basename(other)}"

    def swap_directory(self):
        """A directory that goes and comes again with other content, as a generator makes it."""
        folder = f"{self.root}/{package(self.chance.randrange(PACKAGES))}/src"
        os.rename(folder, folder + ".old")
        time.sleep(self.chance.choice([0, 0.05]))
        write(f"{folder}/f0.txt", self.text())
        subprocess.run(["rm", "-rf", folder + ".old"], check=True)
        return self.short(folder)

    def burst(self):
        for _ in range(self.chance.randrange(50, 300)):
            write(self.source(), self.text())

    def touch(self):
        path = self.source()
        os.utime(path)
        return self.short(path)

    def mode(self):
        path = self.source()
        os.chmod(path, self.chance.choice([0o644, 0o755]))
        return self.short(path)

    def temporary(self):
        path = self.source() + ".tmp"
        write(path, self.text())
        time.sleep(self.chance.choice([0, 0.02, 0.3]))
        os.unlink(path)
        return self.short(path)

    # MARK: The graph

    def edit_build(self):
        number = self.chance.randrange(PACKAGES)
        path = f"{self.root}/{package(number)}/BUILD"
        if path in self.broken:
            return "nothing"
        if self.chance.random() < 0.5:
            self.workspace.write_package(number)
        else:
            with open(path, "a") as file:
                file.write(f'filegroup(name = "more{self.chance.randrange(10**9)}", srcs = [])\n')
        return self.short(path)

    def edit_macro(self):
        write(f"{self.root}/tools/words.bzl", f'WORD = "{self.chance.choice(["one", "two", "three"])}"\n')

    def edit_script(self):
        with open(f"{self.root}/tools/mkimage.py", "a") as file:
            file.write("# more\n")

    def lock(self):
        """What a repository is made of."""
        write(f"{self.root}/deps.lock", self.text())

    def near(self):
        write(f"{self.workspace.near}/{self.chance.choice(['near', 'new'])}.txt", self.text())

    def linked(self):
        write(f"{self.workspace.linked}/{self.chance.choice(['one', 'two'])}.txt", self.text())

    def relink(self):
        number = self.chance.randrange(5, PACKAGES, 6)
        path = f"{self.root}/{package(number)}/link.txt"
        os.symlink(f"../p{self.chance.randrange(PACKAGES)}/BUILD", path + "~")
        os.rename(path + "~", path)
        return self.short(path)

    # MARK: What is broken

    def break_build(self):
        path = f"{self.root}/{package(self.chance.randrange(PACKAGES))}/BUILD"
        if path in self.broken:
            return "nothing"
        with open(path) as file:
            self.broken[path] = file.read()
        write(path, self.broken[path] + "broken(\n")
        return self.short(path)

    def break_source(self):
        """An action that fails: its input is no file any more."""
        path = f"{self.root}/img/i{self.chance.randrange(IMAGES)}/BUILD"
        if path in self.broken:
            return "nothing"
        with open(path) as file:
            self.broken[path] = file.read()
        write(path, self.broken[path].replace('cmd = "', 'cmd = "exit 7; '))
        return self.short(path)

    def repair(self):
        for path, text in self.broken.items():
            write(path, text)
        self.broken = {}

    # MARK: Others

    def stash(self):
        self.repair()
        self.git("stash", "-q", "--include-untracked")
        time.sleep(self.chance.choice([0, 0.1, 1]))
        self.git("stash", "drop", "-q")

    def checkout(self):
        self.repair()
        name = f"b{self.chance.randrange(10**9)}"
        self.git("checkout", "-q", "-b", name)
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", name)
        self.git("checkout", "-q", "HEAD~1" if self.chance.random() < 0.5 else name)

    def output(self):
        """Another hand removes an output, which Bazel has to make again."""
        path = f"{self.root}/bazel-bin/img/i{self.chance.randrange(IMAGES)}/image.tar"
        if os.path.exists(path):
            os.unlink(path)
        return self.short(path)
