"""Rules with the classes, attributes, outputs and output groups of rules_img."""

load(":layer.bzl", "IMAGE_ATTRIBUTES", "ImageInfo", "TOOL", "image_arguments", "image_of", "make")
load(":links.bzl", "LINKS")

ManifestInfo = provider(fields = {"config": "The image's configuration.", "manifest": "Its manifest."})

def _image_manifest_impl(ctx):
    name = ctx.label.name
    manifest = ctx.actions.declare_file(name + "_manifest.json")
    config = ctx.actions.declare_file(name + "_config.json")
    image = image_of(ctx, ctx.files.layers, [ctx.attr.base] if ctx.attr.base else [])
    if ctx.attr.pulled == "shallow":
        image = ImageInfo(
            arch = image.arch,
            command = image.command,
            layers = image.layers,
            layouts = [],
            pulled = image.layers,
        )
    arguments = image_arguments(image)
    make(ctx, "Manifest", "manifest", [manifest, config], arguments + ["--config=" + config.path], image.layers)

    layout = ctx.actions.declare_directory(name + "_oci_layout")
    more = ["--config=" + config.path, "--format=oci_layout"] + ["--missing=" + file.path for file in image.pulled]
    link = ["--link"] if ctx.attr.link else []
    make(ctx, "OCILayout", "img_layout", [layout], arguments + more + link, image.layers + [config])

    sparse = ctx.actions.declare_directory(name + "_sparse_oci_layout")
    make(ctx, "SparseOCILayout", "sparse", [sparse], arguments, image.layers)

    deploy = ctx.actions.declare_file(name + "_deploy.json")
    make(ctx, "Deploy", "deploy", [deploy], arguments + _sources(ctx, image), image.layers)
    return [
        DefaultInfo(files = depset([manifest, config])),
        OutputGroupInfo(
            deploy_manifest = depset([deploy]),
            oci_layout = depset([layout]),
            sparse_oci_layout = depset([sparse]),
        ),
        ManifestInfo(config = config, manifest = manifest),
        image,
    ]

def _sources(ctx, image):
    return ["--pulled=" + file.path for file in image.pulled] + [
        "--source_registry=" + ctx.attr.source_registry,
        "--source_repository=" + ctx.attr.source_repository,
    ]

_SOURCE_ATTRIBUTES = {
    "source_registry": attr.string(default = "registry.invalid"),
    "source_repository": attr.string(default = "base"),
}

image_manifest = rule(
    implementation = _image_manifest_impl,
    attrs = dict(
        IMAGE_ATTRIBUTES,
        base = attr.label(providers = [ImageInfo]),
        layers = attr.label_list(allow_files = True),
        link = attr.bool(default = LINKS),
        pulled = attr.string(doc = "How this base was pulled: 'shallow', or not at all."),
        **_SOURCE_ATTRIBUTES
    ),
)

def _image_load_impl(ctx):
    name = ctx.label.name
    image = ctx.attr.image[ImageInfo]
    arguments = image_arguments(image)
    tags = ([ctx.attr.tag] if ctx.attr.tag else []) + ctx.attr.tag_list
    split = ctx.attr.registry and ctx.attr.repository
    names = ["%s/%s:%s" % (ctx.attr.registry, ctx.attr.repository, tag) for tag in tags] if split else tags

    loader = ctx.actions.declare_file(name + ".exe")
    ctx.actions.write(loader, "#!/bin/sh\nexit 1\n", is_executable = True)
    deploy = ctx.actions.declare_file(name + "_deploy.json")
    make(
        ctx,
        "Deploy",
        "deploy",
        [deploy],
        arguments + _sources(ctx, image) + ["--tag=" + tag for tag in tags] +
        ["--registry=" + ctx.attr.registry, "--repository=" + ctx.attr.repository],
        image.layers,
    )
    tarball = ctx.actions.declare_file(name + "_docker.tar")
    make(
        ctx,
        "DockerSave",
        "docker_save",
        [tarball],
        arguments + ["--tag=" + tag for tag in names] + ["--format=tarball"] +
        ["--missing=" + file.path for file in image.pulled],
        image.layers,
    )
    return [
        DefaultInfo(executable = loader, files = depset([loader])),
        OutputGroupInfo(deploy_manifest = depset([deploy]), tarball = depset([tarball])),
    ]

image_load = rule(
    implementation = _image_load_impl,
    attrs = dict(
        TOOL,
        image = attr.label(mandatory = True),
        registry = attr.string(),
        repository = attr.string(),
        tag = attr.string(),
        tag_list = attr.string_list(),
        **_SOURCE_ATTRIBUTES
    ),
    executable = True,
)
