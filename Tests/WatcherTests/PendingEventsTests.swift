import SystemPackage
import Testing

@testable import Watcher

@Suite struct PendingEventsTests {
  @Test(
    arguments: [
      ([.created, .modified], [.created]), ([.created, .deleted], [.created, .deleted]),
      ([.modified, .deleted], [.deleted]), ([.deleted, .created], [.modified]),
      ([.modified, .modified], [.modified]), ([.deleted, .created, .deleted], [.deleted]),
      ([.created, .deleted, .created], [.created, .modified]),
    ] as [([FileChange.Kind], [FileChange.Kind])])
  func `changes of one path become one, unless it came and went`(
    _ kinds: [FileChange.Kind], _ expected: [FileChange.Kind]
  ) {
    let told = pending(kinds.map { .changed(FileChange(path: "/f", kind: $0)) })
    #expect(told.map(kind) == expected)
  }

  @Test func `a path that changed more than once says so`() {
    let change = WatchEvent.changed(FileChange(path: "/f", kind: .modified))
    #expect(pending([change]) == [change])
    #expect(
      pending([change, change])
        == [.changed(FileChange(path: "/f", kind: .modified, isRepeated: true))])
  }

  @Test func `a change after a mark is told after it`() {
    let change = WatchEvent.changed(FileChange(path: "/f", kind: .modified))
    let events = [change, .marked(.commandBegan), change, .marked(.commandEnded), change]
    #expect(pending(events) == events)
  }

  private func pending(_ events: [WatchEvent]) -> [WatchEvent] {
    var pending = PendingEvents()
    for event in events { pending.add(event) }
    return pending.take()
  }

  private func kind(_ event: WatchEvent) -> FileChange.Kind? {
    if case .changed(let change) = event { change.kind } else { nil }
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
