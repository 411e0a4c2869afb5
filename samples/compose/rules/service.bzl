"""Services in C, each an image of one static binary: the system's compiler, and nothing pulled."""

def service(name, src, tag):
    """An image that watchbuild finds.

    Args:
      name: the target to build; its output is NAME.tar.
      src: the file with `main`.
      tag: the image's name in the container runtime.
    """
    native.genrule(
        name = name + "_binary",
        srcs = [src, "//lib:answer.c", "//lib:answer.h"],
        outs = [name + ".bin"],
        cmd = "cc -O1 -static -Wl,--build-id=none -I lib -o $@ $(location %s) $(location //lib:answer.c)" % src,
    )
    native.genrule(
        name = name,
        srcs = [name + ".bin"],
        outs = [name + ".tar"],
        cmd = "bash $(location //rules:make_image.sh) $(location %s.bin) %s $@" % (name, tag),
        tags = ["watchbuild"],
        tools = ["//rules:make_image.sh"],
    )
