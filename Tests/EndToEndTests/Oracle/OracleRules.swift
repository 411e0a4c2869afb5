/// What the packages of the oracle's workspace load, and what Bazel resolves for them.
extension OracleWorkspace {
  func writeRules() throws {
    try write(
      "rules/BUILD",
      """
      config_setting(name = "fast", define_values = {"mode": "fast"}, visibility = ["//visibility:public"])

      """)
    try write("rules/common.bzl", "HEADER = \"h0\"\n")
    try write(
      "rules/text.bzl",
      """
      def text(name, srcs, deps, out = None):
          native.genrule(
              name = name, srcs = srcs + deps, outs = [out or name + ".out"],
              cmd = "cat /dev/null $(SRCS) > $@", visibility = ["//visibility:public"])
      """)
    try write(
      "rules/headed.bzl",
      """
      load(":common.bzl", "HEADER")
      def headed(name, srcs, deps):
          native.genrule(
              name = name, srcs = srcs + deps, outs = [name + ".out"],
              cmd = "(echo " + HEADER + "; cat /dev/null $(SRCS)) > $@",
              visibility = ["//visibility:public"])
      """)
  }

  /// A toolchain that only its registration names: no target depends on it.
  mutating func writeToolchain() throws {
    try write(
      "toolchains/BUILD",
      """
      load(":tooled.bzl", "text_toolchain")
      toolchain_type(name = "type", visibility = ["//visibility:public"])
      text_toolchain(name = "text", tool = "tool.txt")
      toolchain(name = "toolchain", toolchain = ":text", toolchain_type = ":type")

      """)
    try write(
      "toolchains/tooled.bzl",
      """
      def _toolchain_impl(ctx):
          return [platform_common.ToolchainInfo(tool = ctx.file.tool)]
      text_toolchain = rule(
          implementation = _toolchain_impl, attrs = {"tool": attr.label(allow_single_file = True)})

      def _tooled_impl(ctx):
          tool = ctx.toolchains["//toolchains:type"].tool
          inputs = [tool] + ctx.files.srcs + ctx.files.deps
          out = ctx.actions.declare_file(ctx.label.name + ".out")
          ctx.actions.run_shell(
              inputs = inputs, outputs = [out],
              command = "cat " + " ".join([file.path for file in inputs]) + " > " + out.path)
          return [DefaultInfo(files = depset([out]))]
      _tooled = rule(
          implementation = _tooled_impl, toolchains = ["//toolchains:type"],
          attrs = {"srcs": attr.label_list(allow_files = True), "deps": attr.label_list()})
      def tooled(name, srcs, deps):
          _tooled(name = name, srcs = srcs, deps = deps, visibility = ["//visibility:public"])
      """)
    try source("toolchains/tool.txt")
    remote.append("toolchains/tool.txt")
  }

  /// A platform that only `.bazelrc` names.
  func writePlatform() throws {
    try write(
      "platforms/BUILD",
      """
      package(default_visibility = ["//visibility:public"])
      constraint_setting(name = "size")
      constraint_value(name = "big", constraint_setting = ":size")
      constraint_value(name = "small", constraint_setting = ":size")
      config_setting(name = "is_big", constraint_values = [":big"])
      platform(name = "target", constraint_values = [":\(isBig ? "big" : "small")"])
      # \(serial)

      """)
  }
}
