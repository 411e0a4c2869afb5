"""Layers of files, and what the rules beside share."""

ImageInfo = provider(
    doc = "An image, as far as the rules that stand on it need to know.",
    fields = {
        "arch": "Its architecture.",
        "command": "What it runs.",
        "layers": "The files of its layers, from the bottom up.",
        "layouts": "Directories that hold layers of it.",
        "pulled": "Those of its layers that a pull would have left in the registry.",
    },
)

def make(ctx, mnemonic, verb, outputs, arguments, inputs):
    """Runs image.py. Its first argument is the first of the outputs."""
    ctx.actions.run_shell(
        arguments = [ctx.file._tool.path, verb, outputs[0].path] + arguments,
        command = "exec /usr/bin/python3 \"$@\"",
        env = {"PATH": "/bin:/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        inputs = inputs + [ctx.file._tool],
        mnemonic = mnemonic,
        outputs = outputs,
    )

TOOL = {"_tool": attr.label(allow_single_file = True, default = "//rules:image.py")}

def image_arguments(info):
    return (["--layer=" + file.path for file in info.layers] +
            ["--command=" + info.command, "--arch=" + info.arch])

def image_of(ctx, layers, bases):
    """The image of a rule with the attributes `command` and `arch`, on the first of its bases."""
    base = bases[0][ImageInfo] if bases else None
    return ImageInfo(
        arch = ctx.attr.arch,
        command = ctx.attr.command,
        layers = (base.layers if base else []) + layers,
        layouts = base.layouts if base else [],
        pulled = base.pulled if base else [],
    )

IMAGE_ATTRIBUTES = dict(
    TOOL,
    arch = attr.string(default = "amd64"),
    command = attr.string(default = "/app"),
)

def _layer_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".tar" + (".gz" if ctx.attr.packed else ""))
    make(ctx, "Layer", "make_layer", [out], ["--source=" + file.path for file in ctx.files.srcs] +
                                            ["--command=" + ctx.attr.directory], ctx.files.srcs)
    return [DefaultInfo(files = depset([out]))]

layer = rule(
    implementation = _layer_impl,
    attrs = dict(
        TOOL,
        directory = attr.string(default = "/app"),
        packed = attr.bool(),
        srcs = attr.label_list(allow_files = True),
    ),
)

def _write_file_impl(ctx):
    out = ctx.actions.declare_file(ctx.attr.out)
    ctx.actions.write(out, "\n".join(ctx.attr.content) + "\n")
    return [DefaultInfo(files = depset([out]))]

# The class that `query` shows of the macro write_file.
_write_file = rule(
    implementation = _write_file_impl,
    attrs = {"content": attr.string_list(), "out": attr.string()},
)

def write_file(name, out, content):
    _write_file(name = name, out = out, content = content)
