import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite struct BuildFileNameTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: ["BUILD", "BUILD.bazel"])
  func `a file of that name makes a package`(name: String) throws {
    try directory.write("", to: "app/\(name)")
    #expect(BuildFileName.marksPackage(directory.appending("app")))
  }

  @Test func `a link to a file makes a package, a link to nothing or a directory none`() throws {
    try directory.write("", to: "shared.BUILD")
    for (name, target) in [("file", "../shared.BUILD"), ("nothing", "gone"), ("other", "..")] {
      let package = try directory.makeDirectory(name)
      try #require(symlink(target, package.appending("BUILD").string) == 0)
    }
    let marked = ["file", "nothing", "other"]
      .filter { BuildFileName.marksPackage(directory.appending($0)) }
    #expect(marked == ["file"])
  }

  @Test func `a directory or pipe of that name makes none`() throws {
    try directory.makeDirectory("rpm/BUILD")
    let queue = try directory.makeDirectory("queue")
    try #require(mkfifo(queue.appending("BUILD").string, 0o600) == 0)
    #expect(!BuildFileName.marksPackage(directory.appending("rpm")))
    #expect(!BuildFileName.marksPackage(queue))
  }

  @Test func `other names make none`() {
    #expect(!["BUILD.in", "build", "BUILD.bazel.orig", ""].contains { BuildFileName.contains($0) })
  }
}
