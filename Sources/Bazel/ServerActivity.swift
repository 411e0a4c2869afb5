import Basics
import Glibc
import SystemPackage

/// The kernel's account of a Bazel server: how much it has worked and written so far.
struct ServerActivity: Hashable, Sendable {
  var server: Int32
  /// Processor time, in hundredths of a second.
  var time: Int
  /// Bytes given to files and connections. An idle server writes none.
  var written: Int
  /// Programs that it runs, workers that outlive a command among them.
  var programs: Set<Int32>
  /// A thread of it waits for somebody to open the other end of a named pipe.
  var waitsForPipe = false

  /// - Returns: `nil` when there is no such process.
  static func read(_ server: Int32) -> ServerActivity? {
    let directory = FilePath("/proc/\(server)")
    // "1 (name) S …": the name may hold anything, spaces and parentheses too.
    guard let status = text(directory.appending("stat")),
      let fields = status.lastIndex(of: ")").map({ status[$0...].split(separator: " ") }),
      fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13])
    else { return nil }
    let written =
      text(directory.appending("io"))?.split(whereSeparator: \.isNewline)
      .first { $0.hasPrefix("wchar: ") }.flatMap { Int($0.dropFirst(7)) }
    var activity = ServerActivity(
      server: server, time: user + system, written: written ?? 0, programs: [])
    let threads = directory.appending("task")
    DirectoryEntries.forEach(in: threads) { name, _ in
      let thread = threads.appending(String(cString: name))
      let children = text(thread.appending("children"))?.split(separator: " ") ?? []
      activity.programs.formUnion(children.compactMap { Int32($0) })
      if text(thread.appending("wchan")) == "wait_for_partner" { activity.waitsForPipe = true }
    }
    return activity
  }

  /// The server of a workspace, found by its command line.
  static func server(of workspace: FilePath) -> Int32? {
    let wanted = Array("--workspace_directory=\(workspace)".utf8)
    var found: Int32?
    DirectoryEntries.forEach(in: "/proc") { name, _ in
      guard found == nil, let process = Int32(String(cString: name)),
        let arguments = SmallFile.start(of: FilePath("/proc/\(process)/cmdline"), limit: 256 << 10),
        arguments.split(separator: 0).contains(where: { $0.elementsEqual(wanted) })
      else { return }
      found = process
    }
    return found
  }

  private static func text(_ path: FilePath) -> String? {
    SmallFile.start(of: path, limit: 1 << 16).map { String(decoding: $0, as: UTF8.self) }
  }
}
