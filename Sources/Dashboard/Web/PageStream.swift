import Basics
import FoundationEssentials

/// The page's state as server-sent events: first all of it, then what differs.
struct PageStream: AsyncSequence, Sendable {
  /// Changes that come sooner after each other are told together.
  private static let interval = Duration.milliseconds(120)
  /// So many looks without a change, then a sign of life, by which each side notices that the other is gone.
  private static let silentLooks = 15

  let board: Board
  let clock: any Clock<Duration>

  func makeAsyncIterator() -> Iterator { Iterator(board: board, clock: clock) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let board: Board
    fileprivate let clock: any Clock<Duration>
    private var seen: Page?
    private var listening: Listening?
    private var looks = 0

    fileprivate init(board: Board, clock: any Clock<Duration>) {
      self.board = board
      self.clock = clock
    }

    /// - Returns: `nil` at the run's end, or when the task is cancelled.
    mutating func next() async -> [UInt8]? {
      guard let listening else {
        listening = await Listening(board)
        return Array("retry: 1000\n".utf8) + (look() ?? [])
      }
      // Cancelled: the bells end at once.
      try? await clock.pause(for: PageStream.interval)
      while await listening.next() {
        if let message = look() { return message }
        looks += 1
        if looks >= PageStream.silentLooks {
          looks = 0
          return Array(": still there\n\n".utf8)
        }
      }
      return nil
    }

    private mutating func look() -> [UInt8]? {
      let page = board.page
      guard let changes = PageChanges(from: seen, to: page) else { return nil }
      seen = page
      looks = 0
      // All of it are texts, numbers and lists, which are JSON.
      return Array("data: ".utf8) + UnsafeText.escaped(json: JSON.encode(changes)) + [10, 10]
    }
  }

  /// A place among the board's readers, given up with its last holder.
  private final class Listening: Sendable {
    private let board: Board
    private let id: Int
    private let bells: AsyncStream<Void>

    init(_ board: Board) async {
      self.board = board
      (bells, id) = await board.listen()
    }

    deinit { board.leave(id) }

    /// Waits for the next ring.
    ///
    /// - Returns: Whether there was one.
    func next() async -> Bool {
      for await _ in bells { return true }
      return false
    }
  }
}
