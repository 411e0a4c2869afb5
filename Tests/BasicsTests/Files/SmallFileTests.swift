import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite struct SmallFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func `a file is read whole, up to the limit`() throws {
    let file = try directory.write("four", to: "file")
    #expect(try SmallFile.read(file, limit: 4) == Array("four".utf8))
    #expect(throws: SmallFile.Refusal.tooLarge(limit: 3)) { try SmallFile.read(file, limit: 3) }
    #expect(SmallFile.start(of: file, limit: 3) == Array("fou".utf8))
  }

  @Test func `what is no regular file is refused at once`() throws {
    let pipe = directory.appending("pipe")
    try #require(mkfifo(pipe.string, 0o600) == 0)
    for path in [pipe, directory.path, "/dev/zero"] {
      #expect(throws: SmallFile.Refusal.notRegular) { try SmallFile.read(path, limit: 10) }
    }
    #expect(SmallFile.start(of: pipe, limit: 10) == nil)
  }

  @Test func `a huge file is refused without being read`() throws {
    let file = try directory.write("", to: "sparse")
    try #require(truncate(file.string, 3 << 30) == 0)
    #expect(throws: SmallFile.Refusal.tooLarge(limit: 1 << 20)) {
      try SmallFile.read(file, limit: 1 << 20)
    }
  }

  @Test func `a file that tells no size is read`() throws {
    #expect(try !SmallFile.read("/proc/self/cmdline", limit: 1 << 20).isEmpty)
  }

  @Test func `a link is followed, but where it must not be`() throws {
    let file = try directory.write("x", to: "file")
    let link = directory.appending("link")
    try #require(symlink(file.string, link.string) == 0)
    #expect(try SmallFile.read(link, limit: 1) == [0x78])
    #expect(throws: SmallFile.Refusal.unreadable(.tooManySymbolicLinkLevels)) {
      try SmallFile.read(link, limit: 1, followsLink: false)
    }
  }
}
