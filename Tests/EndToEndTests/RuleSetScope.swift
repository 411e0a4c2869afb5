import SystemPackage
import TestSupport
import Testing

/// One workspace with images of all three rule sets for all tests of a suite, which then must be serialized.
struct RuleSetScope: SuiteTrait, TestScoping {
  @TaskLocal static var workspace: BazelWorkspace?

  /// The images by their names: one a package.
  static let images = [
    "bundle", "eager", "import", "index", "legacy", "oci", "plain", "program", "unnamed",
  ]

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let workspace = try BazelWorkspace(
      RuleSets.files().merging(Self.packages.mapValues { RuleSets.load + $0 }) { $1 }
        .merging(Self.sources) { $1 })
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await Self.$workspace.withValue(workspace) { try await function() })
    } catch {
      result = .failure(error)
    }
    await workspace.end()
    try result.get()
  }

  private static let sources = [
    "base/base.txt": "base\n", "legacy/tags.txt": "lab/legacy:1 lab/legacy:2\n",
  ].merging(
    [
      "oci", "legacy", "index", "eager", "unnamed", "plain", "import", "bundle", "program",
      "shallow",
    ]
    .map { ("\($0)/app.txt", "\($0)\n") }
  ) { $1 }

  private static let packages = [
    "base/BUILD": """
    package(default_visibility = ["//visibility:public"])
    layer(name = "layer", srcs = ["base.txt"], directory = "base", packed = True)
    oci_image(name = "image", tars = [":layer"])
    image_manifest(name = "manifest", layers = [":layer"])
    image_manifest(name = "shallow", layers = [":layer"], pulled = "shallow")
    container_image(name = "docker", layers = [":layer"])
    """,
    // rules_oci 2.x: three names, the image behind an alias.
    "oci/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    oci_image(name = "image", base = "//base:image", tars = [":app"])
    alias(name = "current", actual = ":image")
    oci_load(name = "load", image = ":current", repo_tags = ["lab/oci:1", "lab/oci:2", "lab.io/oci:3"])
    alias(name = "alias", actual = ":load", tags = ["no-watchbuild"])
    filegroup(name = "group", srcs = [":image"])
    """,
    // rules_oci 1.x: names in a file.
    "legacy/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    oci_image(name = "image", base = "//base:image", tars = [":app"])
    oci_tarball(name = "tarball", image = ":image", repo_tags = "tags.txt")
    """,
    // One platform built in a configuration of its own.
    "index/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    oci_image(name = "amd64", tars = [":app"])
    oci_image(name = "arm64", arch = "arm64", tars = [":app"])
    platform_transition_filegroup(name = "arm64_built", srcs = [":arm64"])
    oci_image_index(name = "index", images = [":amd64", ":arm64_built"])
    oci_load(name = "load", image = ":index", repo_tags = ["lab/index:1"])
    """,
    "eager/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    image_manifest(name = "image", base = "//base:manifest", layers = [":app"])
    image_load(
        name = "load", image = ":image", registry = "lab.io", repository = "eager",
        tag_list = ["1", "2"], tags = ["manual"])
    """,
    "unnamed/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    image_manifest(name = "image", base = "//base:manifest", layers = [":app"])
    image_load(name = "load", image = ":image")
    """,
    "shallow/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    image_manifest(name = "image", base = "//base:shallow", layers = [":app"])
    image_load(name = "load", image = ":image", tag = "lab/shallow:1", tags = ["no-watchbuild"])
    """,
    "plain/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    container_image(name = "plain", base = "//base:docker", layers = [":app"])
    """,
    "import/BUILD": """
    package(default_visibility = ["//visibility:public"])
    layer(name = "app", srcs = ["app.txt"])
    container_import(name = "imported", layers = [":app"])
    """,
    "bundle/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    container_image(name = "one", layers = [":app"])
    container_image(name = "two", base = "//base:docker", layers = [":app"])
    container_bundle(
        name = "bundle", images = {"lab/one:1": ":one", "lab/one:2": ":one", "lab/two:1": ":two"})
    """,
    "program/BUILD": """
    layer(name = "app", srcs = ["app.txt"])
    layer(name = "dependencies", srcs = ["app.txt"], directory = "lib")
    py3_image(name = "program", layers = [":dependencies", ":app"])
    """,
  ]
}

extension SuiteTrait where Self == RuleSetScope {
  static var ruleSets: Self { RuleSetScope() }
}
