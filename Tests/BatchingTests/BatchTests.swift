import Batching
import SystemPackage
import Testing
import Watcher

@Suite struct BatchTests {
  @Test(arguments: [
    (FileChange.Kind.created, FileChange.Kind.modified, FileChange.Kind.created),
    (.created, .deleted, .deleted),
    (.deleted, .created, .modified),
    (.modified, .deleted, .deleted),
    (.modified, .created, .created),
  ])
  func `two changes of a path have one net effect`(
    first: FileChange.Kind, second: FileChange.Kind, net: FileChange.Kind
  ) {
    let changes = ChangeSet([
      FileChange(path: "/w/a", kind: first), FileChange(path: "/w/a", kind: second),
    ])
    #expect(changes.changes == [FileChange(path: "/w/a", kind: net)])
  }

  @Test func `a merged batch answers both`() {
    var batch = Batch(cause: .change, changes: [FileChange(path: "/w/a", kind: .modified)])
    batch.merge(
      Batch(
        cause: .overflow, changes: [FileChange(path: "/w/b", kind: .deleted)], requested: ["api"],
        affectsEverything: true))
    #expect(batch.cause == .overflow)
    #expect(batch.changes.map(\.path.string) == ["/w/a", "/w/b"])
    #expect(batch.requested == ["api"])
    #expect(batch.affectsEverything)
  }

  @Test func `a file that one batch made and the next removed is told as removed`() {
    var batch = Batch(cause: .change, changes: [FileChange(path: "/w/a", kind: .created)])
    batch.merge(Batch(cause: .change, changes: [FileChange(path: "/w/a", kind: .deleted)]))
    #expect(batch.changes == [FileChange(path: "/w/a", kind: .deleted)])
  }

  @Test func `a merged batch is overdue if either was`() {
    var batch = Batch(cause: .change, isHoldOverdue: true)
    batch.merge(Batch(cause: .change))
    #expect(batch.isHoldOverdue)
  }

  @Test func `merging keeps the weightier cause`() {
    var batch = Batch(cause: .start)
    batch.merge(Batch(cause: .change))
    #expect(batch.cause == .start)
  }
}
