import Testing

@testable import Basics
@testable import Settings

struct TiltFileTests {
  private static let file = #"""
    # -*- mode: Python -*-
    load("ext://restart_process", "docker_build_with_restart")
    k8s_yaml(["deploy/api.yaml"])
    custom_build(
      "registry.local/shop/api",
      'bazel run //services/api:load -- --norun && docker tag bazel/api $EXPECTED_REF',
      deps=["services/api", "lib"],
    )
    custom_build(ref='shop/web:dev', command=["bazelisk", "build", "--config=dev", "@//web:image.tar"], deps=['web'])
    local_resource("emails", cmd="bazel build //emails:image")
    local_resource("test", "bazel test //...")
    custom_build("shop/dynamic", "bazel run " + target, deps=[])
    for name in ["a", "b"]:
      custom_build("shop/" + name, "bazel run //%s:load" % name, deps=[])
    docker_build("shop/old", ".")
    """#

  @Test func `plain commands of bazel become images`() throws {
    let file = try TiltFile(Self.file, file: "Tiltfile")
    #expect(file.images.map(\.name) == ["api", "web", "emails"])
    #expect(
      file.images.map(\.target) == [
        "//services/api:load", "//web:image.tar", "//emails:image",
      ])
    #expect(file.images.map(\.ref) == ["registry.local/shop/api:latest", "shop/web:dev", nil])
  }

  @Test func `everything else at the top is told with its line`() throws {
    let reason = "its command is not plainly 'bazel build' or 'bazel run' of one target"
    #expect(
      try TiltFile(Self.file, file: "Tiltfile").left == [
        "line 2: load", "line 3: k8s_yaml", "line 11: local_resource: \(reason)",
        "line 12: custom_build: \(reason)", "line 15: docker_build",
      ])
  }

  @Test func `a file without such a command is a mistake`() {
    #expect(throws: Problem.self) { try TiltFile("docker_build('a', '.')", file: "Tiltfile") }
  }

  @Test(arguments: [
    "custom_build(", "custom_build('a", "'''", "custom_build('a', [['b']]", ")", "\\",
  ])
  func `a file that is broken off is read to its end`(text: String) {
    #expect(throws: Problem.self) { try TiltFile(text, file: "Tiltfile") }
  }
}
