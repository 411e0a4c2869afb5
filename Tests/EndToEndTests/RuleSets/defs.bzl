"""The macros of the rule sets: a rule is called by the variable that it was first assigned to."""

load(":docker.bzl", "container_bundle_", "container_image_", _container_import = "container_import", _py3_image = "py3_image")
load(":img.bzl", _image_load = "image_load", _image_manifest = "image_manifest")
load(":layer.bzl", "write_file", _layer = "layer")
load(
    ":oci.bzl",
    _oci_image = "oci_image",
    _oci_image_index = "oci_image_index",
    _oci_load = "oci_load",
    _oci_tarball = "oci_tarball",
    _platform_transition_filegroup = "platform_transition_filegroup",
)

layer = _layer
oci_image = _oci_image
oci_image_index = _oci_image_index
platform_transition_filegroup = _platform_transition_filegroup
image_manifest = _image_manifest
image_load = _image_load
container_import = _container_import
py3_image = _py3_image

def _tags_file(name, repo_tags):
    if type(repo_tags) != "list":
        return repo_tags
    write_file(name = name + "_write_tags", out = name + "_tags.txt", content = repo_tags)
    return name + "_write_tags"

def oci_load(name, repo_tags = None, **kwargs):
    _oci_load(name = name, repo_tags = _tags_file(name, repo_tags), **kwargs)

def oci_tarball(name, repo_tags = None, **kwargs):
    _oci_tarball(name = name, repo_tags = _tags_file(name, repo_tags), **kwargs)

def container_image(name, **kwargs):
    container_image_(name = name, **kwargs)

def container_bundle(name, images, **kwargs):
    container_bundle_(
        name = name,
        image_targets = {label: None for label in images.values()}.keys(),
        images = images,
        tar_output = name + ".tar",
        **kwargs
    )
