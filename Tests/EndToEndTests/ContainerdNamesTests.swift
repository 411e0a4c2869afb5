import Runner
import SystemPackage
import TestSupport
import Testing

/// The names under which images come into a real containerd.
@Suite(
  .enabled(
    if: Runtimes.isExpected("containerd"), "needs containerd (apt-get install containerd), as root"
  ))
struct ContainerdNamesTests {
  @Test func `a name that a killed process left behind is taken back by the next load`()
    async throws
  {
    let daemon = try await Runtimes.containerd()
    let socket = daemon.directory.appending("containerd.sock")
    func ctr(_ arguments: [String]) throws -> String {
      try Tool.run(
        "ctr", ["--address", socket.string, "--namespace", "lab-names"] + arguments)
    }
    try await withScratchDirectory { directory in
      let containerd = Containerd(
        namespace: "lab-names", address: socket, runner: SubprocessRunner())
      let reference = try #require(ImageReference("lab/names:dev"))
      func load(_ content: String) async throws {
        let path = directory.appending("\(content).tar")
        try path.write(TestImage(layers: [TestImage.layer("a", content)]).dockerArchive())
        _ = try await containerd.load(try ImageArchive.open(path), as: reference)
      }
      try await load("one")
      // No process has the first number; the second runs for as long as the machine does.
      let dead = "docker.io/watchbuild/loading:2147483647-0-abc"
      let alive = "docker.io/watchbuild/loading:1-0-abc"
      _ = try ctr(["images", "tag", "docker.io/lab/names:dev", dead, alive])
      try await load("two")
      let names = try ctr(["images", "ls", "-q"]).split(separator: "\n").map(String.init)
      #expect(names.sorted() == ["docker.io/lab/names:dev", alive])
    }
  }
}
