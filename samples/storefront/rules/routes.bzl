"""The storefront's "language": one route a line, checked and gathered into one file."""

def _routes_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.run(
        executable = ctx.executable._check_routes,
        arguments = [out.path] + [file.path for file in ctx.files.srcs],
        env = {
            "LC_ALL": "C",
            "PATH": "/bin:/usr/bin",
        },
        inputs = ctx.files.srcs,
        mnemonic = "Routes",
        outputs = [out],
        progress_message = "Checking the routes of %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([out]))]

routes = rule(
    implementation = _routes_impl,
    doc = "Checks the files of `srcs` and gathers them, without comments, into NAME.txt.",
    attrs = {
        "srcs": attr.label_list(allow_files = [".routes"], mandatory = True),
        "_check_routes": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "//rules:check_routes.sh",
            executable = True,
        ),
    },
)
