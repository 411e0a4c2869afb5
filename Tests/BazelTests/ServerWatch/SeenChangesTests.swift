import SystemPackage
import Testing

@testable import Bazel

/// Lines as the servers of 4.2.3 and 7.7.1 wrote them.
struct SeenChangesTests {
  private static let log = """
    261126 10:38:35.449:I 20 [com.google.devtools.build.lib.server.GrpcServerImpl.executeCommand] [build, //a]
    261126 10:38:35.463:I 20 [com.google.devtools.build.lib.skyframe.DiffAwarenessManager.getDiff] About to compute \
    diff between SequentialView[owner=com.google.devtools.build.lib.skyframe.WatchServiceDiffAwareness@3ec363b3, \
    position=4, modifiedAbsolutePaths=[/w/old.txt]] and SequentialView[owner=com.google.devtools.build.lib.skyframe\
    .WatchServiceDiffAwareness@3ec363b3, position=5, modifiedAbsolutePaths=[/w/a/sub, /w/a/b.txt, /w/x]] for /w
    261126 10:38:35.467:I 20 [com.google.devtools.build.lib.skyframe.SequencedSkyframeExecutor.logDiffInfo] \
    DiffAwareness found 8 modified source files and directory listings for /w: FILE_STATE:[/w]/[told/elsewhere]

    """

  private let seen = SeenChanges(in: Array(Self.log.utf8), of: "/w")

  @Test(arguments: ["/w/a/sub", "/w/a/b.txt", "/w/x"])
  func `a change that the watch told of was seen`(path: String) {
    #expect(seen.contains(FilePath(path)))
  }

  @Test(arguments: ["/w/old.txt", "/w/a", "/w/a/b", "/a/b.txt", "/w/told/elsewhere", "/w/xy"])
  func `all else was not, however like it is`(path: String) {
    #expect(!seen.contains(FilePath(path)))
  }

  @Test func `a log without a word of this workspace's watch tells nothing`() {
    #expect(!SeenChanges(in: Array(Self.log.utf8), of: "/other").contains("/w/x"))
    #expect(
      !SeenChanges(in: Array("About to compute diff between".utf8), of: "/w").contains("/w/x"))
  }

  @Test func `what an earlier list had was not seen`() {
    let log =
      "About to compute diff between V[modifiedAbsolutePaths=[/w/x]] and V[modifiedAbsolutePaths=[]] for /w"
    let seen = SeenChanges(in: Array(log.utf8), of: "/w")
    #expect(!seen.contains("/w/x"))
  }
}
