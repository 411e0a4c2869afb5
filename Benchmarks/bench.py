"""What the benchmarks share: a dockerd of their own, and watchbuild in a copy of a sample."""

import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


class Docker(http.client.HTTPConnection):
    """The engine's API over its socket."""

    def __init__(self, path):
        super().__init__("docker")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, body)
        answer = self.getresponse()
        return answer.status, answer.read()

    def image_id(self, reference):
        status, body = self.ask("GET", f"/images/{reference}/json")
        return json.loads(body)["Id"] if status == 200 else None


class Scene:
    """A directory, a dockerd in it, and whatever is started; all of it ends with the scene."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.directory = tempfile.mkdtemp(prefix="watchbuild-bench.")
        self.processes, self.workspaces = [], []
        self.socket = f"{self.directory}/docker.sock"
        os.makedirs(f"{self.directory}/run", mode=0o700)
        self.environment = {
            **os.environ, "DOCKER_HOST": f"unix://{self.socket}", "XDG_STATE_HOME": f"{self.directory}/state",
            "XDG_RUNTIME_DIR": f"{self.directory}/run"}
        self.start(["dockerd", "--data-root", f"{self.directory}/root", "--exec-root", f"{self.directory}/exec", "-H",
                    f"unix://{self.socket}", "--pidfile", f"{self.directory}/pid", "--bridge", "none",
                    "--iptables=false", "--ip6tables=false"], "docker.log", signal.SIGTERM)
        self.wait("dockerd", lambda: Docker(self.socket).ask("GET", "/_ping")[0] == 200)

    def start(self, words, log, end=signal.SIGINT, cwd=None):
        file = open(f"{self.directory}/{log}", "w")
        process = subprocess.Popen(words, cwd=cwd, stdout=file, stderr=subprocess.STDOUT, env=self.environment)
        self.processes.append((process, end))
        return process

    def wait(self, what, is_so, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if is_so():
                    return
            except OSError:
                pass
            time.sleep(0.002)
        sys.exit(f"no {what} in {seconds} s; see {self.directory}")

    def workspace(self, sample, name):
        path = f"{self.directory}/{name}"
        shutil.copytree(f"{ROOT}/samples/{sample}", path)
        with open(f"{path}/.bazelrc", "w") as rc:
            rc.write(f"startup --output_user_root={self.directory}/{name}-output\nstartup --max_idle_secs=120\n")
        self.workspaces.append(path)
        return path

    def dev(self, path, *arguments):
        name = os.path.basename(path)
        process = self.start([self.binary, "dev", "--output", "json", "--load", "docker", *arguments], f"{name}.events", cwd=path)

        def is_ready():
            if process.poll() is not None:
                sys.exit(f"watchbuild ended: {open(f'{self.directory}/{name}.events').read()[-2000:]}")
            return '"type":"ready"' in open(f"{self.directory}/{name}.events").read()

        self.wait("ready", is_ready)
        return process

    def end(self):
        for process, end in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(end)
            process.wait()
        for path in self.workspaces:
            subprocess.run(["bazel", "shutdown"], cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


def row(name, seconds):
    """Prints median, least and most, in milliseconds."""
    print(f"{name:52} {statistics.median(seconds) * 1000:7.0f} {min(seconds) * 1000:7.0f} {max(seconds) * 1000:7.0f}")


def heading(text):
    print(f"{text}, load average {os.getloadavg()[0]:.1f}")
    print(f"{'ms':52} {'median':>7} {'min':>7} {'max':>7}")
