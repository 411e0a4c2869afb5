import Testing

@testable import Bazel

/// What a server's watch is good for, by what has happened.
struct ServerWatchTests {
  private static func mark(_ command: Int64, server: Int32 = 7, start: UInt64 = 70) -> ServerMark {
    ServerMark(process: server, start: start, command: command)
  }

  /// A watch that the third command of ours has started.
  private var watch: ServerWatch {
    var watch = ServerWatch()
    watch.ended(.none, exit: 0, server: Self.mark(2))
    watch.ended(.starts, exit: 0, server: Self.mark(3))
    return watch
  }

  @Test func `a server may watch already when we meet it, so the first command looks`() {
    #expect(ServerWatch().use(server: Self.mark(1)) == .none)
    #expect(ServerWatch().use(server: nil) == .none)
  }

  @Test func `the command after one that looked starts the watch, and the next goes by it`() {
    var watch = ServerWatch()
    watch.ended(.none, exit: 0, server: Self.mark(2))
    #expect(watch.use(server: Self.mark(2)) == .starts)
    watch.ended(.starts, exit: 1, server: Self.mark(3))
    #expect(watch.use(server: Self.mark(3)) == .relies)
  }

  @Test(arguments: [
    Self.mark(4), Self.mark(3, server: 8), Self.mark(3, start: 71), nil,
  ])
  func `after another hand's command, or with another server, everything is looked at`(
    now: ServerMark?
  ) {
    #expect(watch.use(server: now) == .none)
  }

  @Test(arguments: [nil, 8, 9, 36, 37] as [Int32?])
  func `after a build that did not come to its end everything is looked at`(exit: Int32?) {
    var watch = watch
    watch.ended(.relies, exit: exit, server: Self.mark(4))
    #expect(watch.use(server: Self.mark(4)) == .none)
    #expect(!watch.isGivenUp)
  }

  @Test func `a command without the watch ends it`() {
    var watch = watch
    watch.ended(.none, exit: 0, server: Self.mark(4))
    #expect(watch.use(server: Self.mark(4)) == .starts)
  }

  @Test func `a Bazel that refuses the option is not given it again`() {
    var watch = watch
    watch.ended(.relies, exit: 2, server: Self.mark(4))
    #expect(watch.isGivenUp)
    watch.ended(.none, exit: 0, server: Self.mark(5))
    #expect(watch.use(server: Self.mark(5)) == .none)
  }

  @Test func `options that are wrong without the watch are no reason to give it up`() {
    var watch = watch
    watch.ended(.none, exit: 2, server: Self.mark(4))
    #expect(!watch.isGivenUp)
  }

  @Test func `a watch that misses saves three times in a row is given up`() {
    var watch = watch
    for _ in 0..<2 { watch.missed() }
    watch.sawAll()
    for _ in 0..<2 { watch.missed() }
    #expect(!watch.isGivenUp)
    #expect(watch.use(server: Self.mark(3)) == .none)
    watch.missed()
    #expect(watch.isGivenUp)
  }
}
