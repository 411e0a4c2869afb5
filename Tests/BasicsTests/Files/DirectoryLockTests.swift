import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics

struct DirectoryLockTests {
  private let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  /// Holds the lock until the descriptor is closed.
  private func held() throws -> FileDescriptor {
    let holder = try FileDescriptor.open(scratch.path, .readOnly, options: .directory)
    try #require(flock(holder.rawValue, LOCK_EX | LOCK_NB) == 0)
    return holder
  }

  @Test func `a lock that another holds all the time is given up with a word`() async throws {
    let holder = try held()
    defer { try? holder.close() }
    let open = try OpenDirectory(anybodys: scratch.path)
    let clock = ManualClock()
    let hasEnded = Atomic(false)
    async let ending: LockTimeout? = {
      defer { hasEnded.store(true, ordering: .releasing) }
      do {
        try await DirectoryLock.locked(open, clock: clock) { _ in }
        return nil
      } catch {
        return error as? LockTimeout
      }
    }()
    while !hasEnded.load(ordering: .acquiring) {
      clock.advance(by: .milliseconds(50))
      await Task.yield()
    }
    let error = await ending
    #expect(error?.description.contains("has held the lock of \(scratch.path) for 10 s") == true)
  }

  @Test func `a lock that becomes free is taken`() async throws {
    let holder = try held()
    let open = try OpenDirectory(anybodys: scratch.path)
    let clock = ManualClock()
    let taking = Task {
      try await DirectoryLock.locked(open, clock: clock) { _ in true }
    }
    await clock.waitForSleepers()
    // Closing alone would not do: a child that another test is just forking has the descriptor, too.
    #expect(flock(holder.rawValue, LOCK_UN) == 0)
    try holder.close()
    clock.advance(by: .milliseconds(50))
    #expect(try await taking.value)
  }

  @Test func `waiting for a lock ends when the task is cancelled`() async throws {
    let holder = try held()
    defer { try? holder.close() }
    let open = try OpenDirectory(anybodys: scratch.path)
    let clock = ManualClock()
    let waiting = Task {
      try await DirectoryLock.locked(open, clock: clock) { _ in }
    }
    await clock.waitForSleepers()
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }
}
