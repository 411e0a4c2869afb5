import CInotifyTools
import Glibc

/// The watching thread: waits for the kernel or the bell, and keeps order between the two.
///
/// A request is answered after all events that were queued when it was taken. The kernel queues an
/// event before the system call that caused it returns, so what was changed before a request is
/// reported before its answer: that is the whole barrier, and it leaves no file on disk.
struct WatchLoop {
  private let control: WatchControl
  private let queue: WatchEventQueue
  private let surveyor: Surveyor<InotifyTools>
  private var shortfall = Shortfall()
  private var clockOffset = KernelTime.offset
  private var hasOverflowed = false
  private var hasNoInstance = false
  private var nextPoll: Int64 = 0
  private var lastPublication: Int64 = 0

  private static let pollInterval: Int64 = 1_000_000_000
  /// Nanoseconds between events that make a burst.
  private static let burstGap: Int64 = 500_000
  /// Milliseconds for which the events of a burst gather: a few hundred, of the thousands that the
  /// kernel keeps.
  private static let burstPause: Int32 = 2
  /// Before this many dropped watches the library's own leftovers don't matter: about 2 MB.
  static let deadWatchLimit = 10_000
  private let deadWatchLimit: Int
  /// Is told of each event as the kernel told it; `nil`: nobody asks.
  private let trace: (@Sendable (KernelEvent) -> Void)?
  private let surroundings: Surroundings

  init(
    _ scope: WatchScope, tools: InotifyTools, control: WatchControl, queue: WatchEventQueue,
    deadWatchLimit: Int, trace: (@Sendable (KernelEvent) -> Void)? = nil
  ) {
    self.deadWatchLimit = deadWatchLimit
    self.trace = trace
    self.control = control
    self.queue = queue
    surveyor = Surveyor(scope, notifier: tools, isStopping: { control.isStopping })
    surroundings = Surroundings(surveyor)
  }

  mutating func run() {
    surveyor.notifier.claimWorkingDirectory()
    surroundings.begin()
    surveyor.begin()
    // Afterwards, for where watches are few the directories themselves go first.
    surroundings.follow()
    surveyor.notifier.rest()
    publish()
    control.becomeReady(summary)
    while !control.isStopping {
      wait()
      let requests = control.takeRequests()
      // While the reader is slow the kernel's queue holds what happens; somebody who waits for an
      // answer goes before that.
      if !queue.isFull || !requests.isEmpty { work(for: requests) }
      answer(requests)
    }
    drain()
    publish()
    surveyor.notifier.close()
  }

  // MARK: Waiting

  private mutating func wait() {
    let events = queue.isFull ? 0 : Int16(POLLIN)
    var descriptors = [
      pollfd(fd: surveyor.notifier.descriptor, events: events, revents: 0),
      pollfd(fd: control.bell, events: Int16(POLLIN), revents: 0),
    ]
    descriptors += surroundings.descriptors(isReading: !queue.isFull)
    let deadline = [surveyor.needsPolling ? nextPoll : nil, surroundings.deadline]
      .compactMap { $0 }.min()
    let timeout = deadline.map {
      Int32(clamping: max(0, $0 - KernelTime.sinceBoot) / 1_000_000 + 1)
    }
    poll(&descriptors, nfds_t(descriptors.count), timeout ?? -1)
    surroundings.note(descriptors[2...])
    // In a burst, waking up for each event costs more than the event. Requests don't wait.
    if descriptors[1].revents == 0, KernelTime.sinceBoot - lastPublication < Self.burstGap {
      poll(&descriptors[1], 1, Self.burstPause)
    }
  }

  // MARK: Working

  private mutating func work(for requests: [WatchControl.Request]) {
    drain()
    surveyor.revisit()
    surroundings.look(isAsked: !requests.isEmpty)
    surveyor.revisit()
    surveyor.notifier.rest()
    if hasNoInstance {
      recover(because: nil)
    } else if hasOverflowed {
      recover(because: overflowReason)
    } else if surveyor.notifier.deadWatches > max(deadWatchLimit, surveyor.tree.count / 2) {
      recover(because: nil)
    }
    if surveyor.needsPolling, !requests.isEmpty || KernelTime.sinceBoot >= nextPoll {
      let start = KernelTime.sinceBoot
      surveyor.poll()
      // A large tree is not polled all the time: at most a tenth of it.
      let took = KernelTime.sinceBoot - start
      nextPoll = start + took + max(Self.pollInterval, took * 9)
    }
    surveyor.notifier.rest()
    publish()
  }

  /// Reads what is queued now. What comes in meanwhile is left for the next turn, so that a
  /// workspace that never rests can't keep a request waiting.
  private mutating func drain() {
    var budget = surveyor.notifier.queuedBytes + InotifyTools.bufferSize
    while budget > 0, let event = surveyor.notifier.next() {
      budget -= event.size
      if let trace {
        var directory: [UInt8]?
        if let id = surveyor.tree.node(forWatch: event.watch) {
          var bytes: [UInt8] = []
          surveyor.tree.appendPath(of: id, to: &bytes)
          directory = bytes
        }
        trace(KernelEvent(event, directory: directory))
      }
      if event.has(IN_Q_OVERFLOW) {
        hasOverflowed = true
      } else {
        if event.has(IN_IGNORED), surveyor.tree.node(forWatch: event.watch) != nil {
          surveyor.notifier.deadWatches += 1
        }
        surveyor.apply(event)
      }
    }
    // The library has read further than the budget allowed: poll would not wake up for these.
    if budget <= 0 { control.ring() }
  }

  private var overflowReason: String {
    let limit = InotifyLimits.current.maxQueuedEvents.map { " of \($0) events" } ?? ""
    return "the kernel's queue\(limit) was full"
  }

  /// Begins anew with the kernel and reports what differs from what is known.
  ///
  /// - Parameter reason: `nil` where nothing was lost, only room is to be won back.
  private mutating func recover(because reason: String?) {
    hasOverflowed = false
    let offset = KernelTime.offset
    surveyor.distrustsTimes = offset < clockOffset - 1_000_000
    clockOffset = offset
    let position = surveyor.found.count
    let start = KernelTime.sinceBoot
    surveyor.learnIdentities()
    // Without an instance every directory fails to be watched and is polled.
    hasNoInstance = (try? surveyor.notifier.restart()) == nil
    surveyor.rescan()
    surroundings.follow()
    if let reason {
      let took = (KernelTime.sinceBoot - start) / 1_000_000
      let cost = """
        looked at \(surveyor.fileCount) files in \(surveyor.tree.count) directories again in \
        \(took) ms; \(surveyor.found.count - position) differ
        """
      surveyor.found.insert(.overflowed(reason: "\(reason); \(cost)"), at: position)
    }
  }

  private mutating func publish() {
    let reasons = shortfall.announce(surveyor.failures, of: surveyor.tree.count)
    surveyor.found.append(contentsOf: reasons.map { .degraded(reason: $0) })
    queue.put(surveyor.takeFound())
    lastPublication = KernelTime.sinceBoot
  }

  private mutating func answer(_ requests: [WatchControl.Request]) {
    for request in requests {
      switch request {
      case .synchronize(let continuation): continuation.resume(returning: true)
      case .mark(let mark, let continuation):
        queue.put([.marked(mark)])
        continuation.resume(returning: true)
      case .update(let scope, let continuation):
        surveyor.update(scope)
        surroundings.follow()
        surveyor.notifier.rest()
        publish()
        continuation.resume(returning: summary)
      }
    }
  }

  private var summary: WatchSummary {
    WatchSummary(
      directories: surveyor.tree.count, files: surveyor.fileCount,
      degraded: Shortfall.summary(surveyor.failures, of: surveyor.tree.count))
  }
}
