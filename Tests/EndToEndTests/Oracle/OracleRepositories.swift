import TestSupport

/// The other repositories of the oracle's workspace: directories, and what rules make of files here.
extension OracleWorkspace {
  mutating func writeRepositories() throws {
    try write("third/BUILD", "")
    try write("third/plain.BUILD", Self.group)
    for (name, path, package) in [
      ("inside", "third/inside", "third/inside/sub"), ("nested", "third/nested", "third/nested"),
      ("beyond", "\(outside.path)/outside", "\(outside.path)/outside"),
    ] {
      try write("\(path)/WORKSPACE", "")
      try write("\(path)/MODULE.bazel", "module(name = \"\(name)\", version = \"1.0\")\n")
      try write("\(package)/BUILD", Self.group)
      try source("\(package)/a.txt", isGlobbed: true)
    }
    try source("\(outside.path)/plain/p.txt", isGlobbed: true)
    try source("\(outside.path)/plain/deep/q.txt", isGlobbed: true)
    try write("rules/repositories.bzl", Self.repositoryRules)
    if workspace.testBazel.root == .moduleFile {
      try write("rules/extensions.bzl", Self.extensions)
    }
    try write("locks/BUILD", "")
    for name in ["given", "macro", "read"] {
      try source("locks/\(name).txt")
      remote.append("locks/\(name).txt")
    }
    try write("patches/BUILD", "")
    try writePatch()
    try writeRoot()
  }

  func writePatch() throws {
    try write(
      "patches/one.patch",
      """
      --- a/a.txt
      +++ b/a.txt
      @@ -1,2 +1,2 @@
       one
      -two
      +two \(serial)

      """)
  }

  func writeRoot() throws {
    let text =
      switch workspace.testBazel.root {
      case .workspaceFile: workspaceFile
      case .moduleFile: moduleFile
      }
    try write(workspace.marker, text + "# \(serial)\n")
  }

  private var workspaceFile: String {
    """
    load("//rules:repositories.bzl", "locked", "locked_by_macro", "patched")
    local_repository(name = "inside", path = "third/inside")
    local_repository(name = "nested", path = "third/nested")
    local_repository(name = "outside", path = "\(outside.path)/outside")
    new_local_repository(name = "plain", path = "\(outside.path)/plain", build_file = "//third:plain.BUILD")
    locked(name = "given", lock = "//locks:given.txt")
    locked_by_macro(["macro", "read"])
    patched(name = "patched", patches = ["//patches:one.patch"])
    register_toolchains("//toolchains:toolchain")

    """
  }

  private var moduleFile: String {
    """
    module(name = "oracle", version = "1.0")
    bazel_dep(name = "inside", version = "1.0")
    local_path_override(module_name = "inside", path = "third/inside")
    bazel_dep(name = "nested", version = "1.0")
    local_path_override(module_name = "nested", path = "third/nested")
    # Under another name than its own.
    bazel_dep(name = "beyond", version = "1.0", repo_name = "outside")
    local_path_override(module_name = "beyond", path = "\(outside.path)/outside")
    new_local_repository = use_repo_rule("@bazel_tools//tools/build_defs/repo:local.bzl", "new_local_repository")
    new_local_repository(name = "plain", path = "\(outside.path)/plain", build_file = "//third:plain.BUILD")
    locked = use_repo_rule("//rules:repositories.bzl", "locked")
    locked(name = "given", lock = "//locks:given.txt")
    patched = use_repo_rule("//rules:repositories.bzl", "patched")
    patched(name = "patched", patches = ["//patches:one.patch"])
    locks = use_extension("//rules:extensions.bzl", "locks")
    locks.file(lock = "//locks:macro.txt")
    use_repo(locks, "macro", "read")
    register_toolchains("//toolchains:toolchain")

    """
  }

  private static let group = """
    filegroup(name = "files", srcs = glob(["**/*.txt"]), visibility = ["//visibility:public"])

    """

  private static let repositoryRules = """
    def _locked_impl(ctx):
        ctx.file("BUILD", "exports_files([\\"deps.txt\\"])")
        ctx.file("deps.txt", ctx.read(ctx.attr.lock))
    locked = repository_rule(implementation = _locked_impl, attrs = {"lock": attr.label()})

    def locked_by_macro(names):
        for name in names:
            locked(name = name, lock = "//locks:" + name + ".txt")

    def _patched_impl(ctx):
        ctx.file("BUILD", "exports_files([\\"a.txt\\"])")
        ctx.file("a.txt", "one\\ntwo\\n")
        for patch in ctx.attr.patches:
            ctx.patch(patch, strip = 1)
    patched = repository_rule(
        implementation = _patched_impl, attrs = {"patches": attr.label_list()})
    """

  private static let extensions = """
    def _text_impl(ctx):
        ctx.file("BUILD", "exports_files([\\"deps.txt\\"])")
        ctx.file("deps.txt", ctx.attr.text)
    _text = repository_rule(implementation = _text_impl, attrs = {"text": attr.string()})

    def _locks_impl(ctx):
        for module in ctx.modules:
            for file in module.tags.file:
                _text(name = file.lock.name.split(".")[0], text = ctx.read(file.lock))
        name = "read"
        _text(name = name, text = ctx.read(Label("//locks:" + name + ".txt")))
    locks = module_extension(
        implementation = _locks_impl,
        tag_classes = {"file": tag_class(attrs = {"lock": attr.label()})})
    """
}
