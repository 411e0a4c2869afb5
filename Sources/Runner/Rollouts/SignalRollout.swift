import Basics
import Glibc
import Graph
import SystemPackage

/// Tells a process by a signal that there is a newer image.
struct SignalRollout: Rollout {
  private static let interval = Duration.milliseconds(100)

  let kind = "signal"
  /// Without `SIG`.
  let signal: SignalName
  /// Holds the process's number.
  let pidFile: FilePath
  let rule: RolloutRule
  let notes: RolloutNotes?
  let clock: any Clock<Duration>

  var target: String { "signal \(signal) to \(pidFile)" }
  var lane: String { target }

  func roll(_ image: RolledImage) async throws -> RolloutResult {
    let isLive = rule.verification == .live
    let process = try process()
    if await notes?.isCurrent(image, at: target) == true {
      if isLive { try await watch() }
      return RolloutResult(isChanged: false, isLive: isLive)
    }
    guard kill(process, signal.number) == 0 else {
      throw RolloutError(
        "process \(process) of \(pidFile) can't be told: \(Errno(rawValue: errno))",
        hint: "does it run, and as the same user?")
    }
    if isLive { try await watch() }
    // What is not noted is told once more by the next run.
    try? await notes?.note(image, at: target)
    return RolloutResult(isChanged: true, isLive: isLive)
  }

  /// The process's number as its file tells it now.
  private func process() throws -> pid_t {
    let bytes: [UInt8]
    do {
      bytes = try SmallFile.read(pidFile, limit: 64)
    } catch {
      throw RolloutError(
        "\(pidFile) can't be read: \(error)",
        hint: "does the program run, and write the number of its process there?")
    }
    let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first
    guard let number = text.flatMap({ pid_t($0) }), number > 1 else {
      throw RolloutError(
        "\(pidFile) holds no number of a process",
        hint: "the program has to write it there, as decimal digits")
    }
    return number
  }

  /// A process that takes another's place, as after a restart, is given the time to come.
  private func watch() async throws {
    var elapsed = Duration.zero
    var up = Duration.zero
    while up < LifeSigns.proof {
      guard elapsed < rule.timeout else {
        throw RolloutError(
          "its process does not run \(rule.timeout) after the signal", isOfImage: true)
      }
      try await clock.pause(for: Self.interval)
      elapsed += Self.interval
      // Between two processes the file may be missing.
      let process = try? process()
      let runs = process.map { kill($0, 0) == 0 || errno == EPERM } ?? false
      up = runs ? up + Self.interval : .zero
    }
  }
}
