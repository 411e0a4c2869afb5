import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

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
      let prefix = "docker.io/watchbuild/loading:"
      let dead = TemporaryName.others(deadProcess: true).map { prefix + $0 }
      let alive = TemporaryName.others(deadProcess: false).map { prefix + $0 }
      _ = try ctr(["images", "tag", "docker.io/lab/names:dev"] + dead + alive)
      try await load("two")
      let names = try ctr(["images", "ls", "-q"]).split(separator: "\n").map(String.init)
      #expect(names.sorted() == (["docker.io/lab/names:dev"] + alive).sorted())
    }
  }
}

extension TemporaryName {
  /// Names that other processes have given: of one that has ended, and of one that is as old as no load
  /// gets; or of one that runs, and of one that ended in a container or on another machine.
  static func others(deadProcess isDead: Bool) -> [String] {
    // No process has the first number; the second runs for as long as the machine does.
    let (dead, alive) = (4_194_305, 1)
    let run = String(repeating: "0", count: 32)
    let elsewhere = String(repeating: "f", count: 16)
    let now = Int64(Glibc.time(nil))
    return isDead
      ? ["\(place)-\(dead)-\(now)-\(run)-1", "\(elsewhere)-\(alive)-\(now - 90_000)-\(run)-2"]
      : ["\(place)-\(alive)-\(now)-\(run)-3", "\(elsewhere)-\(dead)-\(now)-\(run)-4"]
  }
}
