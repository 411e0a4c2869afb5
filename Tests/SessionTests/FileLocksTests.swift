import SystemPackage
import TestSupport
import Testing

@testable import Session

struct FileLocksTests {
  private func holder(_ text: (String) -> String) throws -> Int32? {
    let scratch = try TemporaryDirectory()
    let file = try scratch.write("", to: "file").stat()
    return FileLocks(text("\(file.inode.rawValue)")).holder(of: file)
  }

  @Test func `the holder of a flock is found by the file's inode`() throws {
    let found = try holder { inode in
      """
      1: POSIX  ADVISORY  WRITE 11 08:01:\(inode) 0 EOF
      2: FLOCK  ADVISORY  WRITE 12 08:01:\(inode)9 0 EOF
      2: -> FLOCK  ADVISORY  WRITE 13 08:01:\(inode) 0 EOF
      3: FLOCK  ADVISORY  WRITE 708 08:01:\(inode) 0 EOF
      """
    }
    #expect(found == 708)
  }

  @Test(arguments: [
    "", "1: FLOCK  ADVISORY  WRITE -1 08:01:INODE 0 EOF",
    "1: FLOCK  ADVISORY  READ 7 08:01:INODE 0 EOF\n2: FLOCK  ADVISORY  READ 8 08:01:INODE 0 EOF",
  ])
  func `a holder that can't be told is not guessed`(_ text: String) throws {
    #expect(try holder { text.replacing("INODE", with: $0) } == nil)
  }
}
