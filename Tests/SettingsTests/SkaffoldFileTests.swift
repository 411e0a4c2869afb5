import Graph
import SystemPackage
import Testing

@testable import Basics
@testable import Settings

struct SkaffoldFileTests {
  private static let text = """
    apiVersion: skaffold/v4beta11
    kind: Config
    metadata: {name: shop}
    build:
      local: {push: false}
      artifacts:
        - image: registry.local/shop/api
          context: services/api
          bazel: {target: "//services/api:image.tar", args: [--config=dev]}
          sync: {manual: []}
        - image: registry.local/admin/api
          bazel: {target: "//admin/api:image.tar", platforms: []}
        - image: docs
          docker: {dockerfile: Dockerfile}
        - image: wrong
          bazel: {target: wrong}
    deploy: {kubectl: {}}
    """

  private func problem(_ text: String) -> String? {
    do throws(Problem) {
      _ = try SkaffoldFile(text, file: "skaffold.yaml")
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `what Bazel builds is taken over, and the rest is told`() throws {
    let file = try SkaffoldFile(Self.text, file: "skaffold.yaml")

    var first = InitialConfiguration.Image(name: "api", target: "//services/api:image.tar")
    first.ref = "registry.local/shop/api:latest"
    first.options = ["--config=dev"]
    var second = InitialConfiguration.Image(name: "api-2", target: "//admin/api:image.tar")
    second.ref = "registry.local/admin/api:latest"
    #expect(file.images == [first, second])
    #expect(
      file.left == [
        "deploy", "build.local", "artifact registry.local/shop/api: sync",
        "artifact registry.local/admin/api: bazel.platforms",
        "artifact docs: Bazel does not build it",
        "artifact wrong: 'wrong' is no label such as //services/api:image.tar",
      ])
  }

  @Test func `what is written is read as the same images`() throws {
    let text = try InitialConfiguration(SkaffoldFile(Self.text, file: "skaffold.yaml").images)
      .text()
    let read = try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
    let images = read.images.compactMap { if case .target(let image) = $0 { image } else { nil } }
    #expect(images.map(\.name) == ["api", "api-2"])
    #expect(
      images.map(\.label.description) == ["//services/api:image.tar", "//admin/api:image.tar"])
    #expect(images.map(\.options) == [["--config=dev"], []])
  }

  @Test func `labels that YAML would misread are quoted`() throws {
    let text = try InitialConfiguration([.init(name: "yes", target: "@pulled//image:image")]).text()
    let read = try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
    #expect(read.images.count == 1)
  }

  @Test(arguments: [
    ("a: [", "skaffold.yaml:"), ("", "its apiVersion is not skaffold's"),
    ("apiVersion: apps/v1", "its apiVersion is not skaffold's"),
    ("apiVersion: skaffold/v4", "Bazel builds no artifact of skaffold.yaml"),
    ("apiVersion: skaffold/v4\nbuild: {artifacts: 3}", "Bazel builds no artifact"),
  ])
  func `what can't be taken over is refused`(text: String, message: String) {
    #expect(problem(text)?.contains(message) == true, "\(problem(text) ?? "none")")
  }
}
