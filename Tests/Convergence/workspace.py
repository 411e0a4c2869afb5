"""A generated workspace: packages that read each other in many ways, and images over them, all from one seed."""

import os
import random
import shutil
import stat

PACKAGES = 64
IMAGES = 14

MAKE_IMAGE = '''
import hashlib, io, json, sys, tarfile
out, name, sources = sys.argv[1], sys.argv[2], sys.argv[3:]
layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as tar:
    text = b""
    for source in sources:
        with open(source, "rb") as file:
            text += source.split("/bin/")[-1].encode() + b"\\n" + file.read() + b"\\n"
    member = tarfile.TarInfo("content")
    member.size = len(text)
    tar.addfile(member, io.BytesIO(text))
layer = layer.getvalue()
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
entry = hashlib.sha256(config).hexdigest() + ".json"
manifest = json.dumps([{"Config": entry, "RepoTags": ["lab/" + name + ":dev"], "Layers": ["layer.tar"]}]).encode()
with tarfile.open(out, "w") as tar:
    for path, content in (("layer.tar", layer), (entry, config), ("manifest.json", manifest)):
        member = tarfile.TarInfo(path)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
'''

MACROS = '''
load("//tools:words.bzl", "WORD")

def library(name, deps = []):
    """Its sources, sorted, with a word from another file."""
    native.genrule(
        name = name + "_gen",
        srcs = native.glob(["src/**"], allow_empty = True),
        outs = [name + ".gen.txt"],
        cmd = "(echo " + WORD + "; for file in $(SRCS); do echo $$file; cat $$file; done) > $@",
    )
    native.filegroup(name = name, srcs = [name + "_gen"] + deps, visibility = ["//visibility:public"])
'''

RULES = '''
def _joined(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".joined.txt")
    args = ctx.actions.args()
    args.add(out)
    args.add_all(ctx.files.srcs)
    ctx.actions.run_shell(
        inputs = ctx.files.srcs, outputs = [out], arguments = [args],
        command = "out=$1; shift; cat /dev/null \\"$@\\" > $out")
    return [DefaultInfo(files = depset([out]))]

joined = rule(implementation = _joined, attrs = {"srcs": attr.label_list(allow_files = True)})
'''

REPOSITORY = '''
def _made(ctx):
    lock = ctx.read(ctx.path(Label("//:deps.lock")))
    ctx.file("BUILD.bazel", 'exports_files(["made.txt"])')
    ctx.file("made.txt", lock)

made = repository_rule(implementation = _made, local = False)
'''


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def package(number):
    return f"lib/p{number}"


def label(number):
    return f"//{package(number)}:lib"


class Workspace:
    """Its root lies in `home` beside a local repository and a directory that a link leads to."""

    def __init__(self, home, seed, rc=""):
        self.root = f"{home}/workspace"
        self.near = f"{home}/near"
        self.linked = f"{home}/linked"
        self.chance = random.Random(seed)
        write(f"{self.root}/WORKSPACE", (
            f'local_repository(name = "near", path = "../near")\n'
            'load("//tools:repository.bzl", "made")\nmade(name = "made")\n'))
        write(f"{self.root}/.bazelrc", "build --spawn_strategy=local\n" + rc)
        write(f"{self.root}/.gitignore", "bazel-*\n")
        write(f"{self.root}/deps.lock", "0\n")
        write(f"{self.root}/BUILD", 'exports_files(["deps.lock"])\n')
        write(f"{self.root}/tools/BUILD", 'exports_files(["mkimage.py"])\n')
        write(f"{self.root}/tools/mkimage.py", MAKE_IMAGE)
        write(f"{self.root}/tools/macros.bzl", MACROS)
        write(f"{self.root}/tools/rules.bzl", RULES)
        write(f"{self.root}/tools/words.bzl", 'WORD = "start"\n')
        write(f"{self.root}/tools/repository.bzl", REPOSITORY)
        write(f"{self.near}/WORKSPACE", "")
        write(f"{self.near}/BUILD", 'filegroup(name = "near", srcs = glob(["*.txt"]), visibility = ["//visibility:public"])\n')
        write(f"{self.near}/near.txt", "near\n")
        write(f"{self.linked}/one.txt", "one\n")
        for number in range(PACKAGES):
            self.write_package(number)
        for number in range(IMAGES):
            self.write_image(number)

    def write_package(self, number):
        place = f"{self.root}/{package(number)}"
        below = [label(other) for other in self.chance.sample(range(number), min(2, number))] if number % 3 else []
        deps = str(below).replace("'", '"')
        for file in range(3):
            write(f"{place}/src/f{file}.txt", f"{number} {file}\n")
        shape = number % 6
        if shape in (0, 1):
            text = f'load("//tools:macros.bzl", "library")\nlibrary(name = "lib", deps = {deps})\n'
        elif shape == 2:
            text = (f'filegroup(name = "lib", srcs = glob(["src/**"]) + {deps}, visibility = ["//visibility:public"])\n')
        elif shape == 3:
            # A slow action: saves come while it runs.
            text = (f'genrule(name = "slow", srcs = glob(["src/**"]), outs = ["slow.txt"], '
                    f'cmd = "cat $(SRCS) > $@; sleep 0.{number % 4}")\n'
                    f'filegroup(name = "lib", srcs = ["slow.txt"] + {deps}, visibility = ["//visibility:public"])\n')
        elif shape == 4:
            text = ('load("//tools:rules.bzl", "joined")\n'
                    'joined(name = "joined", srcs = glob(["src/*.txt"]))\n'
                    f'filegroup(name = "lib", srcs = ["joined"] + {deps}, visibility = ["//visibility:public"])\n')
        else:
            # A link to a file of another package, and one to a directory elsewhere.
            if not os.path.lexists(f"{place}/link.txt"):
                os.symlink(f"../p{number - 1}/src/f0.txt", f"{place}/link.txt")
                os.symlink(self.linked, f"{place}/far")
            text = (f'filegroup(name = "lib", srcs = glob(["src/**", "link.txt", "far/*.txt"]) + {deps}, '
                    'visibility = ["//visibility:public"])\n')
        write(f"{place}/BUILD", text)

    def write_image(self, number):
        own = [label(other) for other in range(number, PACKAGES, IMAGES)]
        if number % 4 == 1:
            own.append("@near//:near")
        if number % 4 == 2:
            own.append("@made//:made.txt")
        sources = str(own).replace("'", '"')
        write(f"{self.root}/img/i{number}/BUILD", (
            f'genrule(name = "image", srcs = {sources}, outs = ["image.tar"], tools = ["//tools:mkimage.py"],\n'
            f'    tags = ["watchbuild"],\n'
            f'    cmd = "python3 $(execpath //tools:mkimage.py) $@ i{number} $(SRCS)")\n'))

    def copy(self, home):
        """Makes a copy that never sees anything while it changes; what is kept of the last one need not be read again."""
        for name in ("workspace", "near", "linked"):
            self.mirror(f"{os.path.dirname(self.root)}/{name}", f"{home}/{name}")
        # The links to the directory beside the workspace lead to the copy's own.
        for folder, folders, files in os.walk(f"{home}/workspace"):
            for name in folders + files:
                path = f"{folder}/{name}"
                if os.path.islink(path) and os.readlink(path) == self.linked:
                    os.unlink(path)
                    os.symlink(f"{home}/linked", path)

    def mirror(self, source, target):
        os.makedirs(target, exist_ok=True)
        there = {entry.name: entry for entry in os.scandir(source)
                 if not entry.name.startswith("bazel-") and entry.name != ".git"}
        for entry in list(os.scandir(target)):
            if entry.name.startswith("bazel-"):
                continue
            if entry.name not in there or self.kind(there[entry.name]) != self.kind(entry):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        for name, entry in there.items():
            path = f"{target}/{name}"
            if entry.is_symlink():
                if os.path.lexists(path):
                    os.unlink(path)
                os.symlink(os.readlink(entry.path), path)
            elif entry.is_dir():
                self.mirror(entry.path, path)
            else:
                with open(entry.path, "rb") as file:
                    content = file.read()
                if not os.path.exists(path) or open(path, "rb").read() != content:
                    with open(path, "wb") as file:
                        file.write(content)

    @staticmethod
    def kind(entry):
        return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
