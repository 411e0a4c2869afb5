import Images
import Processes
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Loading into a real containerd.
@Suite(
  .serialized,
  .enabled(
    if: Runtimes.isExpected("containerd"), "needs containerd (apt-get install containerd), as root"
  ))
struct ContainerdLoadTests {
  private func harness(
    _ daemon: TestDaemon, namespace: String
  ) -> (harness: LoadHarness, view: ContainerdView) {
    let socket = daemon.directory.appending("containerd.sock")
    let view = ContainerdView { arguments in
      try Tool.run("ctr", ["--address", socket.string, "--namespace", namespace] + arguments)
    }
    let harness = LoadHarness(
      makeRuntime: {
        Containerd(namespace: namespace, address: socket, runner: SubprocessRunner())
      },
      held: { try view.held($0) }, remove: { try view.remove($0) }, run: { try view.run($0) },
      crash: .of(["containerd"], in: daemon), temporaryNames: { try view.temporaryNames() })
    return (harness, view)
  }

  @Test(arguments: LoadScenario.all + LoadScenario.running)
  func `containerd holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    // Each in a namespace of its own, so that what it leaves there is its own.
    let namespace = "lab-\(scenario.testDescription.filter { $0.isLetter })"
    let (harness, view) = harness(try await Runtimes.containerd(), namespace: namespace)
    try await scenario.run(harness)
    #expect(try await lasting { try view.temporaryNames() } == [])
  }

  @Test(arguments: LoadScenario.crashes)
  func `a containerd that is killed in mid-load comes back with whole images`(
    scenario: LoadScenario
  ) async throws {
    let daemon = try await Runtimes.makeContainerd()
    let (harness, _) = harness(daemon, namespace: "k8s.io")
    let result: Result<Void, any Error>
    do { result = .success(try await scenario.run(harness)) } catch { result = .failure(error) }
    try await daemon.stop()
    try result.get()
  }

  @Test func `what is loaded is the file system that was built`() async throws {
    let daemon = try await Runtimes.containerd()
    let (harness, view) = harness(daemon, namespace: "k8s.io")
    try await withScratchDirectory { directory in
      let image = TestImage(layers: [
        TestImage.layer("base", "below"), TestImage.layer("app", "above"),
      ])
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      _ = try await harness.makeRuntime().load(
        try ImageArchive.open(path), as: try #require(ImageReference("lab/mounted:dev")))
      let root = directory.appending("root")
      try Tool.run("mkdir", [root.string])
      _ = try view.ctr(["images", "mount", "docker.io/lab/mounted:dev", root.string])
      let found = try Tool.run("sh", ["-c", "cat \(root)/base \(root)/app"])
      _ = try view.ctr(["images", "unmount", "--rm", root.string])
      #expect(found == "belowabove")
    }
  }

  @Test func `a containerd that is not there is told with its address`() async throws {
    try await withScratchDirectory { directory in
      let socket = directory.appending("none.sock")
      let path = directory.appending("image.tar")
      try path.write(TestImage(layers: [TestImage.layer("a", "b")]).dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/none:dev"))
      let containerd = Containerd(
        namespace: "default", address: socket, runner: SubprocessRunner())
      let error = await #expect(throws: RuntimeError.self) {
        try await containerd.load(archive, as: reference)
      }
      #expect(error?.kind == .unreachable)
      #expect(error?.description.contains(socket.string) == true, "\(String(describing: error))")
      #expect(error?.hint?.contains("is containerd running?") == true)
    }
  }
}
