import Synchronization
import Testing

@testable import Runner

@Suite struct LoadCombinerTests {
  /// The lots that were performed, and a gate that holds the first.
  private final class Lots: Sendable {
    let all = Mutex<[[Int]]>([])
    let gate: AsyncStream<Void>
    let open: AsyncStream<Void>.Continuation

    init() { (gate, open) = AsyncStream.makeStream(of: Void.self) }

    func perform(_ lot: [Int]) async -> [Result<Int, any Error>] {
      let isFirst = all.withLock { all in
        all.append(lot)
        return all.count == 1
      }
      if isFirst { for await _ in gate {} }
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
            return (number, .success(try await combiner.run(number, lots.perform)))
          } catch {
            return (number, .failure(error))
          }
        }
      }
      ask(1)
      while lots.all.withLock({ $0.isEmpty }) { await Task.yield() }
      for number in [2, 13, 4, 5] { ask(number) }
      while await combiner.waitingCount < 4 { await Task.yield() }
      lots.open.finish()
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    let sizes = lots.all.withLock { $0.map(\.count) }
    #expect(sizes == [1, 3, 1])
    #expect(lots.all.withLock { Set($0.joined()) } == [1, 2, 13, 4, 5])
    for number in [1, 2, 4, 5] { #expect(try answers[number]?.get() == number * 10) }
    #expect(throws: RuntimeChoiceError.contradiction) { try answers[13]?.get() }
  }
}
