"""Rules with the classes, attributes, outputs and output groups of rules_docker; defs.bzl has its macros."""

load(":layer.bzl", "IMAGE_ATTRIBUTES", "ImageInfo", "TOOL", "image_arguments", "image_of", "make")

def _tar(ctx, out, images):
    """The tar of images, each with its tags: a list of pairs."""
    told = []
    for number, (image, tags) in enumerate(images):
        file = ctx.actions.declare_file("%s-%d.image.json" % (ctx.label.name, number))
        ctx.actions.write(file, struct(options = image_arguments(image), tags = tags).to_json())
        told.append(file)
    layers = [file for image, _ in images for file in image.layers]
    make(ctx, "JoinLayers", "legacy", [out], ["--image=" + file.path for file in told], told + layers)

def _own_tag(ctx):
    return "%s/%s:%s" % (ctx.attr.repository, ctx.label.package, ctx.label.name)

def _image_impl(ctx):
    image = image_of(ctx, ctx.files.layers, [ctx.attr.base] if ctx.attr.base else [])
    loader = ctx.actions.declare_file(ctx.label.name + ".executable")
    ctx.actions.write(loader, "#!/bin/sh\nexit 1\n", is_executable = True)
    ctx.actions.write(ctx.outputs.layer, "no image")
    _tar(ctx, ctx.outputs.out, [(image, [_own_tag(ctx)])])
    return [DefaultInfo(executable = loader, files = depset([ctx.outputs.layer])), image]

_DOCKER_IMAGE_ATTRIBUTES = dict(
    IMAGE_ATTRIBUTES,
    base = attr.label(providers = [ImageInfo]),
    layers = attr.label_list(allow_files = True),
    repository = attr.string(default = "bazel"),
)

_OUTPUTS = {"layer": "%{name}-layer.tar", "out": "%{name}.tar"}

container_image_ = rule(
    implementation = _image_impl,
    attrs = _DOCKER_IMAGE_ATTRIBUTES,
    executable = True,
    outputs = _OUTPUTS,
)

_app_layer = rule(
    implementation = _image_impl,
    attrs = _DOCKER_IMAGE_ATTRIBUTES,
    executable = True,
    outputs = _OUTPUTS,
)

def py3_image(name, layers, **kwargs):
    """A program's image, on one with its dependencies."""
    _app_layer(name = name + ".0", layers = layers[:1], **kwargs)
    _app_layer(name = name, base = name + ".0", layers = layers[1:], **kwargs)

def _container_import_impl(ctx):
    image = image_of(ctx, ctx.files.layers, [])
    _tar(ctx, ctx.outputs.out, [(image, [_own_tag(ctx)])])
    return [DefaultInfo(files = depset([ctx.outputs.out])), image]

container_import = rule(
    implementation = _container_import_impl,
    attrs = _DOCKER_IMAGE_ATTRIBUTES,
    outputs = {"out": "%{name}.tar"},
)

def _container_bundle_impl(ctx):
    by_label = {str(target.label): target[ImageInfo] for target in ctx.attr.image_targets}
    tags = {}
    for tag, name in ctx.attr.images.items():
        label = str(ctx.label.relative(name))
        tags[label] = tags.get(label, []) + [tag]
    loader = ctx.actions.declare_file(ctx.label.name + ".executable")
    ctx.actions.write(loader, "#!/bin/sh\nexit 1\n", is_executable = True)
    _tar(ctx, ctx.outputs.tar_output, [(by_label[label], names) for label, names in tags.items()])
    return [
        DefaultInfo(executable = loader, files = depset()),
        OutputGroupInfo(tar = depset([ctx.outputs.tar_output])),
    ]

container_bundle_ = rule(
    implementation = _container_bundle_impl,
    attrs = dict(
        TOOL,
        image_targets = attr.label_list(),
        images = attr.string_dict(),
        tar_output = attr.output(),
    ),
    executable = True,
)
