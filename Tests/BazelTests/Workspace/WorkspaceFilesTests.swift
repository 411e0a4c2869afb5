import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel

@Suite struct WorkspaceFilesTests {
  private let directory: TemporaryDirectory
  private let root: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    root = try directory.makeDirectory("w")
  }

  private func write(_ files: [String: String]) throws {
    for (path, content) in files { try directory.write(content, to: path) }
  }

  private func files(options: [String] = [], home: FilePath? = nil) -> WorkspaceFiles {
    WorkspaceFiles(
      workspace: root, options: options,
      rc: BazelRCFiles(workspace: root, user: UserEnvironment(home: home)))
  }

  @Test func `what WORKSPACE loads is found, and what that loads`() throws {
    try write([
      "w/WORKSPACE": """
      load("//tools:deps.bzl", "deps")
      load("@rules_go//go:deps.bzl", "go")
      """,
      "w/tools/deps.bzl": "load(':more.bzl', 'more')\nload('//other:not_yet.bzl', 'x')\n",
    ])
    #expect(
      files().inputs.files.isSuperset(
        of: [
          "tools/deps.bzl", "tools/more.bzl", "other/not_yet.bzl", "@rules_go//go/deps.bzl",
        ]))
  }

  @Test func `module extensions and includes are found, and what these load`() throws {
    try write([
      "w/MODULE.bazel": """
      ext = use_extension("//:extensions.bzl", "ext")
      include("//third_party:go.MODULE.bazel")
      """,
      "w/third_party/go.MODULE.bazel": #"x = use_extension("//go:ext.bzl", "x")"#,
    ])
    #expect(
      files().inputs.files.isSuperset(
        of: ["extensions.bzl", "third_party/go.MODULE.bazel", "go/ext.bzl"]))
  }

  @Test(arguments: [
    #"lock = "//:requirements.txt""#, #"lock = "@//:requirements.txt""#,
    #"lock = "@@//:requirements.txt""#, #"Label("//:requirements.txt")"#,
    #"locks = [":requirements.txt"]"#, #"lock = 'requirements.txt'"#,
    #"path = "./requirements.txt""#, #"data = {"//:requirements.txt": "x"}"#,
  ])
  func `a file that a label names is found, in whatever form`(text: String) throws {
    try write(["w/requirements.txt": "", "w/WORKSPACE": "locked(name = \"pip\", \(text))"])
    #expect(files().inputs.files.contains("requirements.txt"))
  }

  @Test(arguments: [
    #"Label("//locks:" + name + ".txt")"#, #""//locks:%s.txt" % name"#,
    #""//locks:{}.txt".format(name)"#,
    #""@//locks:pi%s.txt" % name"#, #""//locks/" + name"#,
  ])
  func `files whose label is put together when the code runs are found in their directory`(
    text: String
  ) throws {
    try write([
      "w/WORKSPACE": #"load("//:x.bzl", "x")"#, "w/x.bzl": "L = \(text)", "w/locks/pip.txt": "",
      "w/locks/BUILD": "",
    ])
    #expect(files().inputs.files.contains("locks/pip.txt"))
    #expect(!files().inputs.files.contains("locks/BUILD"))
  }

  @Test func `a label is read from where it stands`() throws {
    try write([
      "w/WORKSPACE": #"load("//a/b:x.bzl", "x")"#,
      "w/a/b/x.bzl": #"LOCK = Label(":lock.json"); P = "//p:q/r.patch"; T = "//top""#,
      "w/a/b/lock.json": "", "w/p/q/r.patch": "", "w/top/top": "", "w/lock.json": "",
    ])
    let files = files().inputs.files
    #expect(files.isSuperset(of: ["a/b/lock.json", "p/q/r.patch", "top/top"]))
  }

  @Test func `what is no file of the workspace is passed over`() throws {
    try write([
      "w/WORKSPACE": """
      # "//:commented.bzl" and "//:pipe.bzl"
      x(a = "//:absent.txt", b = "//:pipe.txt", c = "//:", d = "@other//:x.txt", e = "https://a/b.c",
        f = "..", g = "//../outside.txt")
      load("//:pipe.bzl", "x")
      """, "w/commented.bzl": #"y = "//:named.txt""#, "w/named.txt": "",
    ])
    for name in ["pipe.txt", "pipe.bzl"] {
      try #require(mkfifo(root.appending(name).string, 0o600) == 0)
    }
    let found = files().inputs.files.filter { !$0.contains("MODULE") && !$0.contains("WORKSPACE") }
    #expect(
      found == [".bazelrc", "REPO.bazel", "pipe.bzl", "platform_mappings"])
  }

  @Test func `the links on the way to a file are followed`() throws {
    try write(["w/WORKSPACE": #"x(lock = "//:lock.txt")"#, "shared/lock.txt": ""])
    try #require(
      symlink("../shared/lock.txt", root.appending("lock.txt").string) == 0)
    #expect(
      files().inputs.files.isSuperset(of: ["lock.txt", "\(directory.path)/shared/lock.txt"]))
  }

  @Test func `what a bazelrc imports is found, wherever it lies`() throws {
    try write([
      "w/.bazelrc": """
      build --keep_going
      import %workspace%/ci/shared.bazelrc
      try-import %workspace%/../outer.bazelrc
      """,
      "outer.bazelrc": "try-import user.bazelrc\n", "home/.bazelrc": "import ~/mine.rc\n",
    ])
    let files = files(home: directory.appending("home")).inputs.files
    #expect(
      files.isSuperset(
        of: [
          "ci/shared.bazelrc", "user.bazelrc", "\(directory.path)/outer.bazelrc",
          "\(directory.path)/home/.bazelrc", "\(directory.path)/home/mine.rc",
        ]))
  }

  @Test(arguments: [
    ("build --workspace_status_command=tools/status.sh", "tools/status.sh"),
    ("build --workspace_status_command=%workspace%/tools/status.sh", "tools/status.sh"),
    (#"build --workspace_status_command="bash tools/status.sh --x""#, "tools/status.sh"),
    ("build --aspects=//tools:lint.bzl%lint", "tools/lint.bzl"),
    ("build:ci --experimental_downloader_config=tools/rewrite.cfg", "tools/rewrite.cfg"),
  ])
  func `a file that an option names is found`(line: String, file: String) throws {
    try write(["w/.bazelrc": line, "w/\(file)": ""])
    #expect(files().inputs.files.contains(file))
  }

  @Test func `the script of the workspace's status is found outside of it`() throws {
    let script = try directory.write("", to: "status.sh")
    let found = files(options: ["--workspace_status_command=\(script)"]).inputs.files
    #expect(found.contains(script.string))
  }

  // MARK: Targets

  private func targets(_ files: [String: String], options: [String] = []) throws -> [String] {
    try write(files)
    return self.files(options: options).targets.present.map(\.description).sorted()
  }

  @Test func `registered toolchains and platforms are found, in macros too`() throws {
    let found = try targets([
      "w/WORKSPACE": """
      load("//tc:reg.bzl", "reg")
      reg()
      register_toolchains("//tc:all", "//gone:all", "@remote//tc:all")
      """,
      "w/tc/reg.bzl": """
      def reg():
          native.register_execution_platforms(":exec")
          native.register_toolchains(*["//more:%s_toolchain" % x for x in ["a", "b"]])
      """,
      "w/tc/BUILD": "", "w/more/BUILD": "",
    ])
    #expect(found == ["//more:all", "//tc:all", "//tc:exec"])
  }

  @Test func `platforms and toolchains that options name are found`() throws {
    let found = try targets(
      [
        "w/.bazelrc": """
        build --platforms=//p:linux
        build:arm --extra_toolchains=//tc:a,//tc/...
        common --//flags:mode=//p:mode --no//flags:fast --define=x=//p:none
        """, "w/platform_mappings": "platforms:\n  //p:mapped\n    --cpu=x\n", "w/p/BUILD": "",
        "w/tc/BUILD": "", "w/flags/BUILD": "",
      ], options: ["--host_platform", "//p:host"])
    #expect(
      found == [
        "//flags:fast", "//flags:mode", "//p:host", "//p:linux", "//p:mapped", "//p:mode",
        "//tc/...", "//tc:a",
      ])
  }

  @Test func `what local repositories and modules register is found`() throws {
    let found = try targets([
      "w/WORKSPACE": """
      local_repository(name = "near", path = "../near")
      register_toolchains("@near//tc:all")
      """,
      "w/MODULE.bazel": """
      bazel_dep(name = "foo", repo_name = "bar")
      local_path_override(module_name = "foo", path = "../foo")
      """,
      "near/tc/BUILD": "", "foo/MODULE.bazel": #"register_toolchains("//tc:all")"#,
      "foo/tc/BUILD.bazel": "",
    ])
    #expect(found == ["@bar//tc:all", "@near//tc:all"])
    #expect(files().inputs.files.contains("\(directory.path)/foo/MODULE.bazel"))
  }

  @Test func `they are asked for so that one which is not there is no error`() throws {
    _ = try targets(
      ["w/WORKSPACE": #"register_toolchains("//tc:all")"#, "w/tc/BUILD": "", "w/p/BUILD": ""],
      options: ["--platforms=//p:a.b"])
    #expect(
      files(options: ["--platforms=//p:a.b"]).targets.expressions == [
        #"filter("//p:a\.b$", "//p:*")"#, "//tc:all",
        ##"labels("toolchain", attr("toolchain", "^@*(()([~+][^/]*)?)?//", filter("//p:a\.b$", "//p:*")))"##,
        ##"labels("toolchain", attr("toolchain", "^@*(()([~+][^/]*)?)?//", //tc:all))"##,
      ])
  }
}
