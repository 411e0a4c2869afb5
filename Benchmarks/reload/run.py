#!/usr/bin/env python3
"""run.py WATCHBUILD [ROUNDS]: from a saved file to the new HTTP answer.

Services of one static C program that serves a file of its image, in containers of a dockerd of their own, made by docker-compose. In
turns: by hand (bazel build, docker load, docker-compose up of the one service), watchbuild with a compose rollout, and the same with
`sync: true`, which writes the file instead of a restart. Ends what it started.
"""

import os
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Scene, heading, row  # noqa: E402

PORTS = {"hand": 8391, "restarted": 8392, "synced": 8393}

SERVER = r"""
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
static void end(int n) { (void)n; _exit(0); }
int main(int argc, char **argv) {
  signal(SIGTERM, end); signal(SIGPIPE, SIG_IGN);
  int l = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  if (argc < 2 || bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 16)) return 1;
  for (;;) {
    int c = accept(l, 0, 0); char b[4096]; ssize_t n; if (c < 0) continue;
    FILE *f = fopen("/app/answer", "r");
    if (read(c, b, sizeof b) > 0 && f) { dprintf(c, "HTTP/1.0 200 OK\r\n\r\n"); while ((n = fread(b, 1, sizeof b, f)) > 0) write(c, b, n); }
    if (f) fclose(f);
    close(c);
  }
}
"""

PACK = r"""
import hashlib, io, json, sys, tarfile
out, tag, port, server, answer = sys.argv[1:]
def layer(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content, mode in files:
            info = tarfile.TarInfo(name); info.mode = mode
            if content is None: info.type = tarfile.DIRTYPE
            else: info.size = len(content)
            tar.addfile(info, io.BytesIO(content or b""))
    return raw.getvalue()
filling = bytes(range(256)) * 200000
layers = [layer([("filling", filling, 0o644), ("server", open(server, "rb").read(), 0o755)]),
          layer([("app/", None, 0o755), ("app/answer", open(answer, "rb").read(), 0o644)])]
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/server", port]}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(each).hexdigest() for each in layers]}}).encode()
with tarfile.open(out, "w") as tar:
    def add(name, content):
        info = tarfile.TarInfo(name); info.size = len(content); tar.addfile(info, io.BytesIO(content))
    add("config.json", config)
    for number, each in enumerate(layers): add(f"{number}.tar", each)
    add("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [tag], "Layers": ["0.tar", "1.tar"]}]).encode())
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def make(scene, name, services):
    """A workspace with a package for each service, and a compose file for all."""
    path = f"{scene.directory}/{name}"
    write(f"{path}/WORKSPACE", "")
    write(f"{path}/.bazelrc", f"startup --output_user_root={scene.directory}/{name}-output\nstartup --max_idle_secs=120\n")
    write(f"{path}/tools/pack.py", PACK)
    write(f"{path}/tools/server.c", SERVER)
    write(f"{path}/tools/BUILD", 'exports_files(["pack.py"])\ngenrule(name = "server", srcs = ["server.c"], outs = ["server.bin"],\n'
          '  cmd = "cc -O1 -static -o $@ $<", visibility = ["//visibility:public"])\n')
    compose, images = "version: '2.4'\nservices:\n", "images:\n"
    for service in services:
        write(f"{path}/{service}/answer", "first\n")
        write(f"{path}/{service}/BUILD", f"""genrule(name = "image", outs = ["image.tar"], tags = ["watchbuild"], srcs = ["answer", "//tools:server.bin"],
  tools = ["//tools:pack.py"],
  cmd = "python3 $(location //tools:pack.py) $@ bench/{service}:dev {PORTS[service]} $(location //tools:server.bin) $(location answer)")
""")
        compose += f"  {service}:\n    image: bench/{service}:dev\n    network_mode: host\n"
        sync = ", sync: true" if service == "synced" else ""
        images += f"  - target: //{service}:image\n    rollout: {{ compose: {service}{sync} }}\n"
    write(f"{path}/compose.yaml", compose)
    write(f"{path}/watchbuild.yaml", images)
    scene.workspaces.append(path)
    return path


def answer(service):
    try:
        with socket.create_connection(("127.0.0.1", PORTS[service]), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            text = b""
            while part := connection.recv(4096):
                text += part
            return text.decode().split("\r\n\r\n", 1)[-1].strip()
    except OSError:
        return None


def run(scene, path, *words):
    done = subprocess.run(words, cwd=path, env=scene.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}")


def by_hand(scene, path, service):
    run(scene, path, "bazel", "build", f"//{service}:image")
    run(scene, path, "docker", "load", "-q", "-i", f"bazel-bin/{service}/image.tar")
    run(scene, path, "docker-compose", "up", "-d", "--no-deps", "--force-recreate", service)


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    scene = Scene(sys.argv[1])
    try:
        hand, ours = make(scene, "byhand", ["hand"]), make(scene, "ours", ["restarted", "synced"])
        by_hand(scene, hand, "hand")
        for service in ("restarted", "synced"):
            run(scene, ours, "bazel", "build", f"//{service}:image")
            run(scene, ours, "docker", "load", "-q", "-i", f"bazel-bin/{service}/image.tar")
        run(scene, ours, "docker-compose", "up", "-d")
        scene.dev(ours)
        times = {service: [] for service in PORTS}
        for number in range(rounds + 1):
            for service, path in (("hand", hand), ("restarted", ours), ("synced", ours)):
                text = f"{service} {number}"
                write(f"{path}/{service}/answer", text + "\n")
                start = time.monotonic()
                if service == "hand":
                    by_hand(scene, path, service)
                scene.wait(f"answer '{text}'", lambda: answer(service) == text)
                # The first of each warms up.
                if number:
                    times[service].append(time.monotonic() - start)
                # What looks whether a container stays up ends first.
                time.sleep(3)
        heading(f"{rounds} saves of a service with 50 MB below its file")
        row("by hand: bazel build, docker load, docker-compose up", times["hand"])
        row("watchbuild, compose: save → new answer", times["restarted"])
        row("watchbuild, compose with sync: save → new answer", times["synced"])
        base = statistics.median(times["hand"])
        print(f"ratio of the medians: {statistics.median(times['restarted']) / base:.2f} restarted, "
              f"{statistics.median(times['synced']) / base:.2f} with sync")
    finally:
        for path in scene.workspaces:
            subprocess.run(["docker-compose", "kill"], cwd=path, env=scene.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        scene.end()


main()
