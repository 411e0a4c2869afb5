import Glibc
package import SystemPackage

/// The changes that a server's own watch told it of, as its log names them: the evidence that it saw what was saved.
///
/// `… About to compute diff between VIEW[…] and VIEW[…, modifiedAbsolutePaths=[/w/a, /w/b]] for /w`
/// Source: `DiffAwarenessManager.getDiff` in Bazel; tried with 4.2.3 and 7.7.1
struct SeenChanges: Hashable {
  private var lists: [String] = []

  /// - Parameters:
  ///   - log: What the server has written since before the changes, in whole lines.
  ///   - workspace: Where it watches.
  init(in log: [UInt8], of workspace: FilePath) {
    let (start, list, end) = (
      "About to compute diff between ", "modifiedAbsolutePaths=[", "]] for \(workspace)"
    )
    for line in log.split(separator: UInt8(ascii: "\n")) {
      let text = String(decoding: line, as: UTF8.self)
      guard let head = text.firstRange(of: start),
        text.hasSuffix(end),
        let paths = text[head.upperBound...].ranges(of: list).last,
        case let last = text.index(text.endIndex, offsetBy: -end.count),
        paths.upperBound <= last
      else { continue }
      lists.append("[\(text[paths.upperBound..<last])]")
    }
  }

  func contains(_ path: FilePath) -> Bool {
    let text = path.string
    return lists.contains { list in
      list.ranges(of: text).contains { range in
        let (before, after) = (list[..<range.lowerBound], list[range.upperBound...])
        return (before == "[" || before.hasSuffix(", ")) && (after == "]" || after.hasPrefix(", "))
      }
    }
  }
}

/// A place in a server's log.
package struct ServerLogPlace: Hashable, Sendable {
  private let log: FilePath
  private let size: Int64
  /// More is not read: so much tells of no save.
  private static let limit: Int64 = 8 << 20

  /// The log's end as it is now; `nil` where there is none.
  package init?(outputBase: FilePath) {
    log = outputBase.appending("java.log")
    var status = stat()
    guard log.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
    size = Int64(status.st_size)
  }

  /// Whether all changes were seen by the server's watch since.
  ///
  /// A server that has seen nothing at all writes no line.
  package func hasSeen(_ paths: some Sequence<FilePath>, in workspace: FilePath) -> Bool {
    // What can't be read tells nothing.
    guard let file = try? FileDescriptor.open(log, .readOnly, options: .closeOnExec),
      let bytes = try? file.closeAfter({ try Self.read(file, from: size) })
    else { return false }
    let seen = SeenChanges(in: bytes, of: workspace)
    return paths.allSatisfy(seen.contains)
  }

  private static func read(_ file: FileDescriptor, from size: Int64) throws -> [UInt8] {
    let end = try file.seek(offset: 0, from: .end)
    guard end >= size, end - size <= limit else { return [] }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count < Int(end - size) {
      let count = try buffer.withUnsafeMutableBytes {
        try file.read(fromAbsoluteOffset: size + Int64(bytes.count), into: $0)
      }
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
