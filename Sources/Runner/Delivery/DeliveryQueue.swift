import Basics
import Graph
import Images
import Runtimes
import Synchronization

/// Takes built images to where they are to be, step by step and some at once, while the build goes on.
struct DeliveryQueue<C: Clock<Duration>>: Sendable {
  /// Loads at once into one runtime.
  let limit: Int
  /// Where what was loaded is written down; `nil`: nowhere.
  var ledger: Ledger?
  /// Told what the runtimes hold.
  var held = HeldImages()
  /// Told of each step, so that one whose image is to be built anew can be ended.
  var underway = StepsUnderway()
  let record: CycleRecord
  let clock: C

  /// A step in its lane.
  struct Entry: Sendable {
    var number: Int
    var delivery: Delivery
    var work: Delivery.Work
    /// Under which ID each runtime holds the image.
    var loaded: [String: Digest]
    var ticket: StepsUnderway.Ticket
  }

  private enum Signal: Sendable {
    case delivery(Delivery)
    case noMore
    /// - `id`: Of a load that went well.
    case ended(Int, DeliveryStep, isDone: Bool, id: Digest?)
  }

  /// Takes every delivery to its end.
  ///
  /// Every runtime has a lane of its own, so that a slow one holds up no other, and so has everything that a
  /// rollout reaches.
  ///
  /// - Returns: When the last load ended; `nil` where there was none.
  @discardableResult
  func run(_ deliveries: AsyncStream<Delivery>) async -> C.Instant? {
    // Not bounded by us: there are as many deliveries as images, each with an open file.
    let (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await delivery in deliveries { mailbox.yield(.delivery(delivery)) }
        mailbox.yield(.noMore)
      }
      var lanes: [String: AsyncStream<Entry>.Continuation] = [:]
      var order = DeliveryOrder()
      var open: [Int: (delivery: Delivery, loaded: [String: Digest])] = [:]
      var isComplete = false
      var lastLoad: C.Instant?

      func begin(_ steps: [DeliveryStep], of number: Int) {
        guard let (delivery, loaded) = open[number] else { return }
        for step in steps {
          guard let work = delivery.work(for: step) else { continue }
          let name = work.lane
          if lanes[name] == nil {
            let (waiting, lane) = AsyncStream.makeStream(of: Entry.self)
            lanes[name] = lane
            let limit = limit(of: work)
            group.addTask { await run(waiting, limit: limit) { mailbox.yield($0) } }
          }
          let ticket = underway.enter(step, of: delivery.image.name)
          lanes[name]?.yield(
            Entry(number: number, delivery: delivery, work: work, loaded: loaded, ticket: ticket))
        }
      }

      for await signal in signals {
        switch signal {
        case .noMore: isComplete = true
        case .delivery(let delivery):
          let (number, steps) = order.begin(delivery.stages.map { $0.map(\.step) })
          open[number] = (delivery, [:])
          begin(steps, of: number)
        case .ended(let number, let step, let isDone, let id):
          if step.kind == .load { lastLoad = clock.now }
          open[number]?.loaded[step.target] = id
          begin(order.ended(step, of: number, isDone: isDone), of: number)
        }
        if isComplete && order.isEmpty { break }
      }
      for lane in lanes.values { lane.finish() }
      return lastLoad
    }
  }

  private func limit(of work: Delivery.Work) -> Int {
    switch work {
    // A runtime that combines loads must be given every load that waits.
    case .load(let runtime): runtime.combinesLoads ? Int.max : max(limit, 1)
    case .rollout: 1
    }
  }

  private func run(
    _ entries: AsyncStream<Entry>, limit: Int, _ ended: @escaping @Sendable (Signal) -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await entry in entries {
        if running == limit {
          await group.next()
          running -= 1
        }
        group.addTask { ended(await perform(entry)) }
        running += 1
      }
    }
  }

  private func perform(_ entry: Entry) async -> Signal {
    switch entry.work {
    case .load(let runtime):
      let id = await load(entry, into: runtime)
      return .ended(entry.number, entry.work.step, isDone: id != nil, id: id)
    case .rollout(let rollout):
      let isDone = await roll(entry, by: rollout)
      return .ended(entry.number, entry.work.step, isDone: isDone, id: nil)
    }
  }
}
