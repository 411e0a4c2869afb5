import SystemPackage
import Testing

@testable import Watcher

@Suite struct PendingEventsTests {
  @Test(
    arguments: [
      ([.created, .modified], .created), ([.created, .deleted], nil),
      ([.modified, .deleted], .deleted), ([.deleted, .created], .modified),
      ([.modified, .modified], .modified), ([.deleted, .created, .deleted], .deleted),
      ([.created, .deleted, .created], .created),
    ] as [([FileChange.Kind], FileChange.Kind?)])
  func `changes of one path become one`(_ kinds: [FileChange.Kind], _ expected: FileChange.Kind?) {
    var pending = PendingEvents()
    for kind in kinds { pending.add(.changed(FileChange(path: "/f", kind: kind))) }
    #expect(pending.count == (expected == nil ? 0 : 1))
    #expect(pending.take() == (expected.map { [.changed(FileChange(path: "/f", kind: $0))] } ?? []))
  }

  @Test func `other events keep their place among the changes`() {
    var pending = PendingEvents()
    let events: [WatchEvent] = [
      .changed(FileChange(path: "/a", kind: .modified)), .overflowed(reason: "full"),
      .changed(FileChange(path: "/b", kind: .created)),
    ]
    for event in events { pending.add(event) }
    #expect(pending.take() == events)
    #expect(pending.isEmpty)
  }

  @Test func `a cancelled reader gets nothing`() async {
    let queue = WatchEventQueue(onRoom: {})
    let reader = Task { await queue.next(isolation: nil) }
    reader.cancel()
    #expect(await reader.value == nil)
  }

  @Test func `taking from a full queue makes room known`() async {
    await confirmation { confirm in
      let queue = WatchEventQueue(limit: 1, onRoom: { confirm() })
      queue.put([.changed(FileChange(path: "/a", kind: .modified))])
      #expect(queue.isFull)
      _ = await queue.next(isolation: nil)
      #expect(!queue.isFull)
    }
  }
}
