import Basics
import Glibc
package import SystemPackage

/// A Bazel server as the last command has left it. Another mark: another server, or another command since.
///
/// Each command, whoever gives it, begins the file `command.log` in the output base anew.
package struct ServerMark: Hashable, Sendable {
  package struct Server: Hashable, Sendable {
    var process: Int32
    /// Clock ticks since the machine started: a number is given to another process one day.
    var start: UInt64
  }

  package var server: Server
  private var log: LogStamp

  private struct LogStamp: Hashable, Sendable {
    var inode: UInt64
    var size: Int64
    var modified: Int64
  }

  /// Looks now.
  ///
  /// - Parameters:
  ///   - process: The server, as a build of ours was told.
  ///   - outputBase: Bazel's.
  /// - Returns: `nil` where there is no such server, or its commands leave no log.
  package static func look(_ process: Int32, outputBase: FilePath) -> ServerMark? {
    guard let start = start(of: process) else { return nil }
    var status = stat()
    let log = outputBase.appending("command.log")
    guard log.withPlatformString({ lstat($0, &status) }) == 0 else { return nil }
    return ServerMark(
      server: Server(process: process, start: start),
      log: LogStamp(
        inode: UInt64(status.st_ino), size: Int64(status.st_size),
        modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)))
  }

  private static func start(of process: Int32) -> UInt64? {
    // "1 (name) S …": the name may hold anything, spaces and parentheses too.
    guard let bytes = SmallFile.start(of: FilePath("/proc/\(process)/stat"), limit: 1 << 12),
      case let text = String(decoding: bytes, as: UTF8.self),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }
}

extension ServerMark {
  /// For tests.
  init(process: Int32, start: UInt64, command: Int64) {
    server = Server(process: process, start: start)
    log = LogStamp(inode: 1, size: 1, modified: command)
  }
}
