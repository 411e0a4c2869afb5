import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Basics

/// What another user may have left where a directory of ours is to be. Tests run as root, so any
/// other owner is another user.
struct PrivateDirectoryTests {
  private let scratch: TemporaryDirectory
  private let directory: PrivateDirectory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = PrivateDirectory(below: scratch.path, "watchbuild", "w")
  }

  /// Of something in the directory.
  private func path(_ name: String) -> String { directory.path.appending(name).string }

  private func refusal(of body: () throws -> Void) -> UntrustedFile.Reason? {
    do {
      try body()
      return nil
    } catch {
      return (error as? UntrustedFile)?.reason
    }
  }

  @Test func `it is made for its owner alone, with all above it`() throws {
    let deep = PrivateDirectory(below: scratch.appending("a/b"), "watchbuild", "w")
    _ = try deep.open()
    for path in ["a", "a/b", "a/b/watchbuild", "a/b/watchbuild/w"] {
      #expect(try scratch.appending(path).stat().permissions.rawValue == 0o700)
    }
  }

  @Test func `it is made again when it is gone`() throws {
    try directory.open().replace("file", with: [1])
    TemporaryDirectory.remove(scratch.appending("watchbuild"))
    #expect(try directory.openExisting() == nil)
    #expect(try directory.open().read("file", limit: 9) == nil)
  }

  @Test(arguments: ["watchbuild", "watchbuild/w"])
  func `a symbolic link in its place is refused`(_ name: String) throws {
    let victim = try scratch.makeDirectory("victim")
    if name != "watchbuild" { _ = mkdir(scratch.appending("watchbuild").string, 0o700) }
    try #require(symlink(victim.string, scratch.appending(name).string) == 0)
    #expect(refusal { _ = try directory.open() } == .symbolicLink)
    #expect(refusal { _ = try directory.openExisting() } == .symbolicLink)
  }

  @Test(arguments: ["watchbuild", "watchbuild/w"], [0o770, 0o707, 0o1777])
  func `one that others may write to is refused`(_ name: String, _ mode: Int) throws {
    _ = try directory.open()
    try #require(chmod(scratch.appending(name).string, mode_t(mode)) == 0)
    #expect(refusal { _ = try directory.open() } == .writable(UInt32(mode)))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root"), arguments: ["watchbuild", "watchbuild/w"])
  func `one of another user is refused`(_ name: String) throws {
    _ = try directory.open()
    try #require(chown(scratch.appending(name).string, 4242, 4242) == 0)
    #expect(refusal { _ = try directory.open() } == .owner(4242))
  }

  @Test func `permissions that a generous umask gave are taken away where nobody gets to them`()
    throws
  {
    let open = try directory.open()
    try #require(mkdir(path("images"), 0o700) == 0)
    let images = directory.path.appending("images")
    try #require(chmod(images.string, 0o775) == 0)
    try open.inspect(levels: 1)
    #expect(try images.stat().permissions.rawValue == 0o755)
  }

  // MARK: Files

  @Test func `a file that is replaced appears whole, and nothing is left beside it`() throws {
    let open = try directory.open()
    try open.replace("file", with: "old".utf8)
    try open.replace("file", with: "new".utf8)
    #expect(try open.read("file", limit: 3) == Array("new".utf8))
    #expect(open.names == ["file"])
    #expect(throws: Errno.fileTooLarge) { try open.read("file", limit: 2) }
  }

  @Test func `a link is neither read, nor written through, but replaced`() throws {
    let victim = try scratch.write("precious", to: "victim")
    let open = try directory.open()
    try #require(symlink(victim.string, path("file")) == 0)
    #expect(refusal { _ = try open.read("file", limit: 99) } == .symbolicLink)
    #expect(refusal { _ = try open.open("file", .writeOnly, options: .create) } == .symbolicLink)
    #expect(refusal { try open.inspect(levels: 1) } == .symbolicLink)
    try open.replace("file", with: "ours".utf8)
    #expect(try victim.read() == Array("precious".utf8))
    #expect(try open.read("file", limit: 99) == Array("ours".utf8))
  }

  @Test func `a file with another name elsewhere is not written to`() throws {
    let victim = try scratch.write("precious", to: "victim")
    let open = try directory.open()
    try #require(link(victim.string, path("file")) == 0)
    #expect(refusal { _ = try open.open("file", .readWrite) } == .hardLink)
    try open.replace("file", with: "ours".utf8)
    #expect(try victim.read() == Array("precious".utf8))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root"))
  func `a file of another user is neither read nor written`() throws {
    let open = try directory.open()
    try open.replace("file", with: "theirs".utf8)
    try #require(chown(path("file"), 4242, 4242) == 0)
    #expect(refusal { _ = try open.read("file", limit: 99) } == .owner(4242))
    #expect(refusal { _ = try open.open("file", .writeOnly) } == .owner(4242))
    #expect(refusal { try open.inspect(levels: 1) } == .owner(4242))
  }

  @Test func `a pipe is not waited for`() throws {
    let open = try directory.open()
    try #require(mkfifo(path("file"), 0o600) == 0)
    #expect(refusal { _ = try open.read("file", limit: 99) } == .notAFile)
    #expect(refusal { _ = try open.open("file", .writeOnly) } == .notAFile)
  }

  @Test func `what is removed is the link, not what it leads to`() throws {
    try scratch.write("precious", to: "victim/file")
    let open = try directory.open()
    let victim = scratch.appending("victim")
    try #require(symlink(victim.string, path("run")) == 0)
    open.remove("run")
    #expect(open.names.isEmpty)
    #expect(try victim.appending("file").read() == Array("precious".utf8))
  }
}
