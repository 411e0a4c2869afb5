"""Container images without a toolchain or a download: layers and docker-archive tars by tar, sha256sum and bash.

Everything written here depends on the input alone (no clock, no user, no order of a directory), so an image's ID
changes exactly when its content does, and a layer that did not change keeps its digest.
"""

LayerInfo = provider(
    doc = "One layer of an image.",
    fields = {
        "digest": "A file that holds the SHA-256 of the tar, in hexadecimal: the layer's diff ID.",
        "tar": "The layer as an uncompressed tar.",
    },
)

# Given in full, because an inherited PATH would make every action depend on the terminal it was started from.
_ENVIRONMENT = {
    "LC_ALL": "C",
    "PATH": "/bin:/usr/bin",
}

def _tool(script):
    return attr.label(
        allow_single_file = True,
        cfg = "exec",
        default = script,
        executable = True,
    )

def _layer_impl(ctx):
    tar = ctx.actions.declare_file(ctx.label.name + ".tar")
    digest = ctx.actions.declare_file(ctx.label.name + ".sha256")
    ctx.actions.run(
        executable = ctx.executable._make_layer,
        arguments = [tar.path, digest.path, ctx.attr.directory, ctx.attr.mode] +
                    [file.path for file in ctx.files.srcs],
        env = _ENVIRONMENT,
        inputs = ctx.files.srcs,
        mnemonic = "Layer",
        outputs = [tar, digest],
        progress_message = "Layering %s" % ctx.label,
    )
    return [
        DefaultInfo(files = depset([tar])),
        LayerInfo(digest = digest, tar = tar),
    ]

layer = rule(
    implementation = _layer_impl,
    doc = "A layer that holds the files of `srcs` side by side in one directory of the image.",
    attrs = {
        "directory": attr.string(doc = "Where in the image, such as 'app'.", mandatory = True),
        "mode": attr.string(default = "0644", doc = "The permission bits of the files."),
        "srcs": attr.label_list(allow_files = True, mandatory = True),
        "_make_layer": _tool("//rules:make_layer.sh"),
    },
)

def _docker_archive_impl(ctx):
    tar = ctx.actions.declare_file(ctx.label.name + ".tar")
    layers = [target[LayerInfo] for target in ctx.attr.layers]
    arguments = [tar.path, ctx.attr.tag, json.encode(ctx.attr.cmd)]
    inputs = []
    for layer in layers:
        arguments += [layer.tar.path, layer.digest.path]
        inputs += [layer.tar, layer.digest]
    ctx.actions.run(
        executable = ctx.executable._make_image,
        arguments = arguments,
        env = _ENVIRONMENT,
        inputs = inputs,
        mnemonic = "Image",
        outputs = [tar],
        progress_message = "Assembling %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([tar]))]

docker_archive = rule(
    implementation = _docker_archive_impl,
    doc = "An image as the tar that `docker load` takes.",
    attrs = {
        "cmd": attr.string_list(doc = "What a container runs."),
        "layers": attr.label_list(doc = "From the bottom up.", providers = [LayerInfo]),
        "tag": attr.string(doc = "The name in the runtime, such as 'storefront/cart:dev'.", mandatory = True),
        "_make_image": _tool("//rules:make_image.sh"),
    },
)

def image(name, srcs, tag, directory = "app", base = "//base:layer", libraries = ["//lib:layer"], cmd = [], tags = [], **kwargs):
    """An image of a base, libraries and an application, tagged so that watchbuild finds it.

    Args:
      name: the target to build; its output is NAME.tar.
      srcs: the application's files.
      tag: the image's name in the container runtime.
      directory: where in the image the application's files are.
      base: the layer at the bottom.
      libraries: the layers between base and application.
      cmd: what a container runs.
      tags: tags of the image target on top of `watchbuild`.
      **kwargs: what every rule takes, such as `visibility`.
    """
    layer(
        name = name + "_app",
        srcs = srcs,
        directory = directory,
        visibility = ["//visibility:private"],
    )
    docker_archive(
        name = name,
        cmd = cmd,
        layers = [base] + libraries + [":" + name + "_app"],
        tag = tag,
        tags = tags + ["watchbuild"],
        **kwargs
    )
