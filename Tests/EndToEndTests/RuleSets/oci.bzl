"""Rules with the classes, attributes, outputs and output groups of rules_oci 1.x and 2.x; defs.bzl has its macros."""

load(":layer.bzl", "IMAGE_ATTRIBUTES", "ImageInfo", "TOOL", "image_arguments", "image_of", "make")
load(":links.bzl", "LINKS")

def _oci_image_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    bases = [ctx.attr.base] if ctx.attr.base else []
    image = image_of(ctx, ctx.files.tars, bases)
    arguments = image_arguments(image) + ["--base=" + layout.path for layout in image.layouts]
    if ctx.attr.link:
        arguments.append("--link")
    make(ctx, "OCIImage", "layout", [out], arguments, image.layers + image.layouts)
    layouts = [out] + image.layouts
    files = depset([out])
    # Where blobs are links, whoever has the layout must have what they lead to.
    return [
        DefaultInfo(files = files),
        ImageInfo(arch = image.arch, command = image.command, layers = image.layers, layouts = layouts, pulled = []),
    ]

oci_image = rule(
    implementation = _oci_image_impl,
    attrs = dict(
        IMAGE_ATTRIBUTES,
        base = attr.label(providers = [ImageInfo]),
        link = attr.bool(default = LINKS, doc = "Blobs are relative links, as rules_oci has it from Bazel 7.1 on."),
        tars = attr.label_list(allow_files = True),
    ),
)

def _oci_image_index_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    layouts = ctx.files.images
    make(ctx, "OCIIndex", "index", [out], ["--layout=" + file.path for file in layouts], layouts)
    return [DefaultInfo(files = depset([out]))]

oci_image_index = rule(
    implementation = _oci_image_index_impl,
    attrs = dict(TOOL, images = attr.label_list()),
)

def _tarball(ctx):
    out = ctx.actions.declare_file(ctx.label.name + "/tarball.tar")
    layouts, tags = ctx.files.image, ctx.files.repo_tags
    arguments = ["--layout=" + file.path for file in layouts] + ["--tags=" + file.path for file in tags]
    arguments.append("--format=" + ctx.attr.format)
    more = ctx.attr.image[ImageInfo].layers + ctx.attr.image[ImageInfo].layouts if ImageInfo in ctx.attr.image else []
    make(ctx, "OCITarball", "tarball", [out], arguments, layouts + tags + more)
    return out

def _script(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, "#!/bin/sh\nexit 1\n", is_executable = True)
    return script

def _oci_load_impl(ctx):
    script = _script(ctx)
    return [
        DefaultInfo(executable = script, files = depset([script])),
        OutputGroupInfo(tarball = depset([_tarball(ctx)])),
    ]

_LOAD_ATTRIBUTES = dict(
    TOOL,
    format = attr.string(default = "docker"),
    image = attr.label(mandatory = True),
    repo_tags = attr.label(allow_files = True),
)

oci_load = rule(
    implementation = _oci_load_impl,
    attrs = _LOAD_ATTRIBUTES,
    executable = True,
)

def _oci_tarball_impl(ctx):
    return [DefaultInfo(executable = _script(ctx), files = depset([_tarball(ctx)]))]

oci_tarball = rule(
    implementation = _oci_tarball_impl,
    attrs = _LOAD_ATTRIBUTES,
    executable = True,
)

def _optimized(settings, attr):
    return {"//command_line_option:compilation_mode": "opt"}

_transition = transition(
    implementation = _optimized,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _transition_filegroup_impl(ctx):
    return [DefaultInfo(files = depset(ctx.files.srcs))]

platform_transition_filegroup = rule(
    implementation = _transition_filegroup_impl,
    attrs = {
        "srcs": attr.label_list(cfg = _transition),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
