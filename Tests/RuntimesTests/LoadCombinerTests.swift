import Synchronization
import Testing

@testable import Runtimes

@Suite struct LoadCombinerTests {
  /// The lots that were performed, and a gate that holds the first.
  private final class Lots: Sendable {
    let all = Mutex<[[Int]]>([])
    /// Of each lot, when it ended.
    let wasCancelled = Mutex<[Bool]>([])
    let gate: AsyncStream<Void>
    let open: AsyncStream<Void>.Continuation

    init() { (gate, open) = AsyncStream.makeStream(of: Void.self) }

    func perform(_ lot: [Int]) async -> [Result<Int, any Error>] {
      let isFirst = all.withLock { all in
        all.append(lot)
        return all.count == 1
      }
      if isFirst { for await _ in gate {} }
      wasCancelled.withLock { $0.append(Task.isCancelled) }
      return lot.map { $0 == 13 ? .failure(RuntimeChoiceError.contradiction) : .success($0 * 10) }
    }
  }

  @Test func `what comes while a lot is under way goes together after it`() async throws {
    let combiner = LoadCombiner<Int, Int>(limit: 3)
    let lots = Lots()
    let answers = await withTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
      func ask(_ number: Int) {
        group.addTask {
          do {
            return (number, .success(try await combiner.run(number) { await lots.perform($0) }))
          } catch {
            return (number, .failure(error))
          }
        }
      }
      ask(1)
      while lots.all.withLock({ $0.isEmpty }) { await Task.yield() }
      for number in [2, 13, 4, 5] { ask(number) }
      while combiner.waitingCount < 4 { await Task.yield() }
      lots.open.finish()
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    let sizes = lots.all.withLock { $0.map(\.count) }
    #expect(sizes == [1, 3, 1])
    #expect(lots.all.withLock { Set($0.joined()) } == [1, 2, 13, 4, 5])
    for number in [1, 2, 4, 5] { #expect(try answers[number]?.get() == number * 10) }
    #expect(throws: RuntimeChoiceError.contradiction) { try answers[13]?.get() }
  }

  /// Each of three, of which the first goes alone and the others together.
  private func three(
    _ lots: Lots, _ body: ([Task<Int, any Error>]) async -> Void
  ) async -> [Result<Int, any Error>] {
    let combiner = LoadCombiner<Int, Int>()
    let tasks = [1, 2, 3].map { number in
      Task {
        while number > 1, lots.all.withLock({ $0.isEmpty }) { await Task.yield() }
        return try await combiner.run(number) { await lots.perform($0) }
      }
    }
    while combiner.waitingCount < 2 { await Task.yield() }
    await body(tasks)
    lots.open.finish()
    var results: [Result<Int, any Error>] = []
    for task in tasks { results.append(await task.result) }
    return results
  }

  @Test func `one that is cancelled while it waits leaves, and holds up nobody`() async throws {
    let lots = Lots()
    let results = await three(lots) { tasks in
      tasks[1].cancel()
      await #expect(throws: CancellationError.self) { try await tasks[1].value }
    }
    #expect(try results[0].get() == 10)
    #expect(try results[2].get() == 30)
    #expect(lots.all.withLock { $0 } == [[1], [3]])
  }

  @Test func `a lot is cancelled when nobody in it wants it, and then ends at once`() async throws {
    let lots = Lots()
    let results = await three(lots) { tasks in
      // Its gate is never opened: only cancelling ends it.
      tasks[0].cancel()
      _ = await tasks[0].result
    }
    #expect(try results[1].get() == 20)
    #expect(try results[2].get() == 30)
    #expect(lots.wasCancelled.withLock { $0 } == [true, false])
  }

  @Test func `one of a lot that is cancelled takes no other with it`() async throws {
    let combiner = LoadCombiner<Int, Int>()
    let (first, second) = (Lots(), Lots())
    async let alone = combiner.run(1) { await first.perform($0) }
    while first.all.withLock({ $0.isEmpty }) { await Task.yield() }
    let pair = [2, 3].map { number in
      Task { try await combiner.run(number) { await second.perform($0) } }
    }
    while combiner.waitingCount < 2 { await Task.yield() }
    first.open.finish()
    while second.all.withLock({ $0.isEmpty }) { await Task.yield() }
    pair[0].cancel()
    second.open.finish()
    #expect(try await alone == 10)
    #expect(try await pair[1].value == 30)
    #expect(second.wasCancelled.withLock { $0 } == [false])
  }
}
