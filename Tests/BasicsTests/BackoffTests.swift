import Basics
import Testing

@Suite struct BackoffTests {
  @Test func `each wait is twice the one before, up to the longest`() {
    var backoff = Backoff(from: .seconds(1), to: .seconds(5))
    let waits = (0..<4).map { _ in backoff.next() }
    #expect(waits == [.seconds(1), .seconds(2), .seconds(4), .seconds(5)])
  }

  @Test func `after success it begins anew`() {
    var backoff = Backoff(from: .seconds(1), to: .seconds(5))
    _ = backoff.next()
    backoff.reset()
    let wait = backoff.next()
    #expect(wait == .seconds(1))
  }
}
