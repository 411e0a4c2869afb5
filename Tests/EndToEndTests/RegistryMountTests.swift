import Runtimes
import TestSupport
import Testing

/// Two repositories of one registry over the same base.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"))
struct RegistryMountTests {
  private func pair(_ name: String) -> (TestImage, TestImage) {
    let first = TestImage.named(name)
    var second = first
    second.layers[1] = TestImage.layer("\(name)-second", "the other one")
    return (first, second)
  }

  @Test(arguments: [false, true])
  func `a base goes once into two repositories`(wantsTokens: Bool) async throws {
    let name = wantsTokens ? "mount-tokens" : "mount"
    let registry =
      try await wantsTokens ? TestRegistry.sharedWithTokens() : TestRegistry.shared()
    try await DockerConfig.using { config in
      try config.write(
        user: TestRegistry.user, password: TestRegistry.password, for: registry.host)
      let (first, second) = pair(name)
      try await RegistryPush(host: registry.host, environment: config.environment).using {
        #expect(try await RegistryPush.load(first, as: "lab/\(name):dev", into: $0).layersSent == 2)
        let result = try await RegistryPush.load(second, as: "other/\(name):dev", into: $0)
        #expect(result.layersSent == 1)
        #expect(result.bytesSent < 8192)
      }
    }
    if wantsTokens {
      let both = "repository:other/\(name):pull,push repository:lab/\(name):pull"
      #expect(try await TokenServer.shared().granted().contains("lab \(both)"))
    }
  }

  @Test func `a registry that may not take it from there gets it sent`() async throws {
    let registry = try await TestRegistry.sharedWithTokens()
    try await DockerConfig.using { config in
      try config.write(
        user: TestRegistry.user, password: TestRegistry.password, for: registry.host)
      let (first, second) = pair("unmounted")
      try await RegistryPush(host: registry.host, environment: config.environment).using {
        _ = try await RegistryPush.load(first, as: "closed/unmounted:dev", into: $0)
        let result = try await RegistryPush.load(second, as: "lab/unmounted:dev", into: $0)
        #expect(result.layersSent == 2)
      }
      #expect(
        try RegistryPush.held(
          registry.host, "lab/unmounted:dev",
          login: "\(TestRegistry.user):\(TestRegistry.password)") == second.id)
    }
  }

  @Test func `a mount that the registry declines is an ordinary upload`() async throws {
    let registry = try await TestRegistry()
    let (first, second) = pair("declined")
    try await RegistryPush(host: registry.host).using {
      _ = try await RegistryPush.load(first, as: "lab/declined:dev", into: $0)
      // What it was to be taken from is gone.
      try Tool.run(
        "rm",
        [
          "-r",
          "\(registry.daemon.directory)/root/docker/registry/v2/repositories/lab/declined/_layers",
        ])
      let result = try await RegistryPush.load(second, as: "other/declined:dev", into: $0)
      #expect(result.layersSent == 2)
    }
    #expect(try RegistryPush.held(registry.host, "other/declined:dev") == second.id)
    // What was begun in place of the mount has been ended too.
    let root = "\(registry.daemon.directory)/root"
    #expect(try Tool.run("find", [root, "-path", "*/_uploads/*"]).isEmpty)
    try await registry.daemon.stop()
  }
}
