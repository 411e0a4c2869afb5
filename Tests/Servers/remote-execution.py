#!/usr/bin/env python3
"""A remote cache and executor for Bazel, with faults to order: for tests alone.

remote-execution.py serve DIRECTORY PORT
    Serves on 127.0.0.1:PORT until it is ended. What it holds lies in DIRECTORY/cas. DIRECTORY/faults.json is read anew when it
    changes: {"token": "WANTED", "delay": {"ByteStream.Write": SECONDS}, "error": {"Execution.Execute": ["UNAVAILABLE", "words"]}}

remote-execution.py run ...
    What the server runs for each action: the action's own program on this machine, in a directory of its own, without a sandbox.

The server is BuildStream's buildbox-casd (scripts/remote-execution). Bazel does not talk to it directly: old versions accept only a
server that also speaks version 2.0 of the protocol, which this adds.
"""
import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HOME = "/var/cache/watchbuild-tests/remote-execution"
sys.path.insert(0, HOME)

import grpc
from buildstream._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildstream._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from buildstream._protos.google.bytestream import bytestream_pb2 as stream
from buildstream._protos.google.bytestream import bytestream_pb2_grpc as streams

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


# The proxy

class Faults:
    def __init__(self, path):
        self.path, self.changed, self.orders = path, None, {}

    def now(self):
        try:
            changed = os.stat(self.path).st_mtime_ns
            if changed != self.changed:
                with open(self.path) as file:
                    self.orders = json.load(file)
                self.changed = changed
        except (OSError, ValueError):
            pass  # Not there, or being written.
        return self.orders


class Proxy(grpc.GenericRpcHandler):
    """Hands calls on as bytes, but for those that are to fail or to wait."""

    def __init__(self, channel, faults):
        self.channel, self.faults = channel, faults

    def service(self, details):
        method = details.method
        service, name = method.split("/")[1].rsplit(".", 1)[1], method.rsplit("/", 1)[1]
        metadata = dict(details.invocation_metadata)

        async def call(requests, context):
            orders = self.faults.now()
            token = orders.get("token")
            if token and metadata.get("authorization") != "Bearer " + token:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "token missing or expired")
            error = orders.get("error", {}).get(f"{service}.{name}")
            if error:
                await context.abort(getattr(grpc.StatusCode, error[0]), error[1])
            await asyncio.sleep(orders.get("delay", {}).get(f"{service}.{name}", 0))
            answers = self.channel.stream_stream(method)(requests, timeout=context.time_remaining())
            try:
                async for answer in answers:
                    if name == "GetCapabilities":
                        capabilities = api.ServerCapabilities.FromString(answer)
                        capabilities.low_api_version.major, capabilities.low_api_version.minor = 2, 0
                        answer = capabilities.SerializeToString()
                    await context.write(answer)
            except grpc.aio.AioRpcError as failure:
                # Which blobs are missing stands in the details.
                more = tuple((k, v) for k, v in failure.trailing_metadata() or () if k == "grpc-status-details-bin")
                await context.abort(failure.code(), failure.details() or "", more)

        return grpc.stream_stream_rpc_method_handler(call)


async def serve(directory, port):
    socket = f"unix:{directory}/casd.sock"
    runner = f"{directory}/run"
    with open(runner, "w") as file:
        file.write(f'#!/bin/sh\nexec "{sys.executable}" "{os.path.abspath(__file__)}" run "$@"\n')
    os.chmod(runner, 0o755)
    casd = subprocess.Popen(
        [f"{HOME}/buildbox-casd", f"--bind={socket}", f"--buildbox-run={runner}", "--jobs=2", f"{directory}/cas"])
    try:
        channel = grpc.aio.insecure_channel(socket, options=UNLIMITED)
        await asyncio.wait_for(channel.channel_ready(), 20)
        server = grpc.aio.server(options=UNLIMITED + [("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((Proxy(channel, Faults(f"{directory}/faults.json")),))
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
        await server.stop(0)
    finally:
        casd.terminate()
        casd.wait()


# The runner

PIECE = 2 << 20


def digest(content):
    return api.Digest(hash=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


class Store:
    def __init__(self, address):
        channel = grpc.insecure_channel(address.removeprefix("http://"), options=UNLIMITED)
        self.blobs, self.streams = services.ContentAddressableStorageStub(channel), streams.ByteStreamStub(channel)

    def get(self, wanted):
        if wanted.size_bytes == 0:
            return b""
        if wanted.size_bytes > PIECE:
            name = f"blobs/{wanted.hash}/{wanted.size_bytes}"
            return b"".join(answer.data for answer in self.streams.Read(stream.ReadRequest(resource_name=name)))
        answer = self.blobs.BatchReadBlobs(api.BatchReadBlobsRequest(digests=[wanted])).responses[0]
        if answer.status.code:
            raise LookupError(f"{wanted.hash}: {answer.status.message}")
        return answer.data

    def put(self, content):
        named = digest(content)
        if len(content) <= PIECE:
            request = api.BatchUpdateBlobsRequest.Request(digest=named, data=content)
            self.blobs.BatchUpdateBlobs(api.BatchUpdateBlobsRequest(requests=[request]))
            return named
        name = f"uploads/{os.getpid()}/blobs/{named.hash}/{named.size_bytes}"
        self.streams.Write(
            stream.WriteRequest(
                resource_name=name if at == 0 else "", write_offset=at, data=content[at:at + PIECE],
                finish_write=at + PIECE >= len(content))
            for at in range(0, len(content), PIECE))
        return named

    def lay(self, wanted, path):
        """Makes a directory tree."""
        os.makedirs(path, exist_ok=True)
        directory = api.Directory.FromString(self.get(wanted))
        for file in directory.files:
            with open(f"{path}/{file.name}", "wb") as out:
                out.write(self.get(file.digest))
            os.chmod(f"{path}/{file.name}", 0o755 if file.is_executable else 0o644)
        for link in directory.symlinks:
            os.symlink(link.target, f"{path}/{link.name}")
        for child in directory.directories:
            self.lay(child.digest, f"{path}/{child.name}")

    def take(self, path, directories):
        """Stores a directory tree; all directories in it are added to a list."""
        directory = api.Directory()
        for name in sorted(os.listdir(path)):
            file = f"{path}/{name}"
            if os.path.islink(file):
                directory.symlinks.add(name=name, target=os.readlink(file))
            elif os.path.isdir(file):
                child = self.take(file, directories)
                directory.directories.add(name=name, digest=self.put(child.SerializeToString()))
            else:
                with open(file, "rb") as content:
                    stored = self.put(content.read())
                directory.files.add(name=name, digest=stored, is_executable=os.access(file, os.X_OK))
        directories.append(directory)
        return directory


def run(arguments):
    if "--validate-parameters" in arguments:
        return
    options = dict(argument[2:].split("=", 1) for argument in arguments if "=" in argument)
    store = Store(options["remote"])
    with open(options["action"], "rb") as file:
        action = api.Action.FromString(file.read())
    command = api.Command.FromString(store.get(action.command_digest))
    root = tempfile.mkdtemp(prefix="action-")
    try:
        store.lay(action.input_root_digest, root)
        here = os.path.join(root, command.working_directory)
        outputs = list(command.output_paths) or [*command.output_files, *command.output_directories]
        for output in outputs:
            os.makedirs(os.path.dirname(f"{here}/{output}"), exist_ok=True)
        environment = {variable.name: variable.value for variable in command.environment_variables}
        ended = subprocess.run(
            list(command.arguments), cwd=here, env=environment or {"PATH": "/bin:/usr/bin"}, stdin=subprocess.DEVNULL,
            capture_output=True)
        result = api.ActionResult(exit_code=ended.returncode)
        if ended.stdout:
            result.stdout_digest.CopyFrom(store.put(ended.stdout))
        if ended.stderr:
            result.stderr_digest.CopyFrom(store.put(ended.stderr))
        for output in outputs:
            path = f"{here}/{output}"
            if os.path.isdir(path) and not os.path.islink(path):
                directories = []
                tree = api.Tree(root=store.take(path, directories), children=directories[:-1])
                result.output_directories.add(path=output, tree_digest=store.put(tree.SerializeToString()))
            elif os.path.exists(path):
                with open(path, "rb") as content:
                    stored = store.put(content.read())
                result.output_files.add(path=output, digest=stored, is_executable=os.access(path, os.X_OK))
        with open(options["action-result"], "wb") as file:
            file.write(result.SerializeToString())
    finally:
        shutil.rmtree(root, ignore_errors=True)


if sys.argv[1] == "run":
    run(sys.argv[2:])
else:
    asyncio.run(serve(sys.argv[2], int(sys.argv[3])))
