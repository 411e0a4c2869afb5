import Glibc
import SystemPackage
import Watcher

/// The watcher over one tree, and the figures that it is judged by.
struct Watching {
  let root: FilePath
  let watcher: InotifyWatcher
  /// The thread that owns libinotifytools.
  let thread: Int

  init(_ root: FilePath) throws {
    self.root = root
    let before = Usage.threads
    watcher = try InotifyWatcher(WatchScope(root: root, ignore: IgnoreRules(root: root)))
    // Nothing was awaited since: the only new thread is the watcher's.
    guard let thread = Usage.threads.subtracting(before).first else { throw Errno.noSuchProcess }
    self.thread = thread
  }

  static func setup(_ root: FilePath) async throws {
    let (memory, cpu) = (Usage.resident, Usage.cpu)
    let watching = try Watching(root)
    let summary = await watching.watcher.ready()
    print("cpu_ms", Usage.cpu - cpu)
    print("bytes", Usage.resident - memory)
    print("directories", summary.directories)
    print("files", summary.files)
    print("degraded", summary.degraded == nil ? 0 : 1)
    await watching.watcher.stop()
  }

  /// Directories come and go; memory is to be what it was.
  func churn(_ count: Int) async throws {
    _ = await watcher.ready()
    let perRound = 1000
    var highest = [0, 0]
    for round in 0..<count / perRound {
      for number in 0..<perRound { make(number) { mkdir($0, 0o755) } }
      try await watcher.synchronize()
      for number in 0..<perRound { make(number) { rmdir($0) } }
      try await watcher.synchronize()
      _ = watcher.events.takeAvailable()
      let half = round * perRound * 2 < count ? 0 : 1
      highest[half] = max(highest[half], Usage.resident)
    }
    print("growth_bytes", highest[1] - highest[0])
  }

  private func make(_ number: Int, _ call: (UnsafePointer<CChar>) -> Int32) {
    _ = root.appending("churn\(number)").withPlatformString(call)
  }

  /// From before the `close` of a written file until the change is in the reader's hands.
  func latency(_ count: Int) async throws {
    _ = await watcher.ready()
    let path = root.appending("latency")
    var iterator = watcher.events.makeAsyncIterator()
    let clock = ContinuousClock()
    var times: [Duration] = []
    for round in 0...count {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
      _ = try file.writeAll("1\n".utf8)
      if round == 0 {
        // It is created here, which is an event of its own.
        try file.close()
        try await watcher.synchronize()
        _ = watcher.events.takeAvailable()
        continue
      }
      let start = clock.now
      try file.close()
      _ = await iterator.next()
      times.append(clock.now - start)
      usleep(1000)
    }
    times.sort()
    print("median_ms", times[times.count / 2] / .milliseconds(1))
    print("p99_ms", times[times.count * 99 / 100] / .milliseconds(1))
  }

  /// Another process, the writer, writes so many files as fast as it can.
  func burst(files: Int, writer: [String]) async throws {
    _ = await watcher.ready()
    let (cpu, reader) = (Usage.cpu, Usage.cpu(ofThread: thread))
    let events = watcher.events
    async let batches = Self.collect(events)
    try run(writer)
    try await watcher.synchronize()
    let used = (all: Usage.cpu - cpu, reader: Usage.cpu(ofThread: thread) - reader)
    await watcher.stop()
    var paths: Set<FilePath> = []
    var overflows = 0
    for event in await batches.joined() {
      switch event {
      case .changed(let change): paths.insert(change.path)
      case .overflowed: overflows += 1
      case .degraded, .rootLost, .rootReturned, .marked: break
      }
    }
    print("cpu_ms", used.all)
    print("reader_ms", used.reader)
    print("overflows", overflows)
    print("lost", files - paths.count)
  }

  @concurrent
  private static func collect(_ events: WatchEvents) async -> [[WatchEvent]] {
    var batches: [[WatchEvent]] = []
    for await batch in events { batches.append(batch) }
    return batches
  }

  func idle(_ seconds: UInt32) async throws {
    _ = await watcher.ready()
    // What begins to wait is taken off its processor once.
    sleep(1)
    let before = Usage.contextSwitches(ofThread: thread)
    sleep(seconds)
    print("wakeups", Usage.contextSwitches(ofThread: thread) - before)
  }
}

/// A line that a script can read.
private func print(_ name: String, _ value: some Any) { Swift.print("\(name)=\(value)") }
