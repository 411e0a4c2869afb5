#!/usr/bin/env python3
"""run.py WATCHBUILD [ROUNDS]: what it costs to ask a running dev.

One dev on a copy of samples/storefront, into a dockerd of its own. Each round saves a file, and looks in the same save for the new
image ID in dockerd and for the end of `watchbuild wait`, started right after the save. Ends what it started.
"""

import os
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Docker, Scene, heading, row  # noqa: E402

REFERENCE = "storefront/cart:dev"
READERS = 100


def timed(scene, path, *words):
    start = time.monotonic()
    result = subprocess.run([scene.binary, *words], cwd=path, env=scene.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if result.returncode:
        sys.exit(f"{' '.join(words)} ended with {result.returncode}")
    return time.monotonic() - start


def cpu(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    scene = Scene(sys.argv[1])
    try:
        path = scene.workspace("storefront", "shop")
        dev = scene.dev(path)
        docker = Docker(scene.socket)
        images, waits, later = [], [], []
        for number in range(rounds + 1):
            before, seen = docker.image_id(REFERENCE), []
            with open(f"{path}/services/cart/src/cart.routes", "a") as file:
                file.write(f"GET /cart/{number} {number}\n")
            start = time.monotonic()

            def look():
                while docker.image_id(REFERENCE) == before:
                    time.sleep(0.001)
                seen.append(time.monotonic() - start)

            thread = threading.Thread(target=look)
            thread.start()
            timed(scene, path, "wait", "--change", "services/cart/src/cart.routes", "--for", "loaded")
            wait = time.monotonic() - start
            thread.join()
            if number:
                images.append(seen[0])
                waits.append(wait)
                later.append(wait - seen[0])
        status = [timed(scene, path, "status", "--json") for _ in range(rounds)]
        asked = [timed(scene, path, "--help") for _ in range(rounds)]
        before = cpu(dev)
        time.sleep(10)
        alone = cpu(dev) - before
        for number in range(READERS):
            scene.start([scene.binary, "events", "--follow"], f"reader{number}.log", cwd=path)
        time.sleep(3)
        before = cpu(dev)
        time.sleep(10)
        read = cpu(dev) - before
        heading(f"{rounds} saves of one service of five")
        row("save → image ID in dockerd", images)
        row("save → `wait --for loaded` has ended", waits)
        row("  later by", later)
        row("`status --json`", status)
        row("`--help`", asked)
        print(f"CPU of dev in 10 s at rest: {alone * 1000:.0f} ms alone, {read * 1000:.0f} ms with {READERS} idle readers of events")
    finally:
        scene.end()


main()
