import Images
import Runtimes
import TestSupport
import Testing

/// Images of the rule sets in a real Docker.
@Suite(
  .serialized, .bazel, .docker, .timeLimit(.minutes(10)), .eachBazel, .ruleSets, .ownDocker)
struct RuleSetDockerTests {
  private let workspace: BazelWorkspace
  private let docker: DockerDaemon

  init() throws {
    workspace = try #require(RuleSetScope.workspace)
    docker = try #require(DockerScope.daemon)
  }

  private func ids(of names: [String]) async throws -> [String?] {
    let client = EngineClient(.unix(docker.socket))
    var ids: [String?] = []
    for name in names { ids.append(try await client.image(name)?.id.description) }
    await client.shutdown()
    return ids
  }

  @Test func `a layout gives Docker the image that the tar gives`() async throws {
    let arguments = ["build", "--output", "json", "--load", "docker", "//oci:load", "//plain"]
    let fromLayout = try await workspace.run(arguments, docker: docker.host)
    #expect(fromLayout.exit == 0, "\(fromLayout.errors)")
    #expect(fromLayout.images("loaded") == ["oci", "plain"])
    let layout = try await ids(of: ["lab/oci:1", "bazel/plain:plain"])
    #expect(!layout.contains(nil))
    // All its names stand for it.
    #expect(
      try await ids(of: ["lab/oci:2", "lab.io/oci:3"]) == [layout[0], layout[0]])

    try workspace.write("watchbuild.yaml", "images: [{target: //oci:load, from: tar}]\n")
    defer { workspace.remove("watchbuild.yaml") }
    let fromTar = try await workspace.run(
      ["build", "--output", "json", "--load", "docker"], docker: docker.host)
    #expect(fromTar.exit == 0, "\(fromTar.errors)")
    #expect(fromTar.images("unchanged") == ["oci"])
    #expect(try await ids(of: ["lab/oci:1"]) == [layout[0]])
  }
}
