import Glibc
import SystemPackage

/// A symbolic link that leads nowhere, and where it leads.
///
/// Bazel links the blobs of a layout to outputs of other targets, and leaves those in a remote cache
/// where it was told to.
struct DanglingLink: Hashable {
  /// The file that is not there, at the end of all links.
  let target: FilePath

  /// As many as the kernel follows.
  private static let limit = 40

  /// - Returns: `nil` when the path is no link, or leads somewhere.
  init?(at path: FilePath) {
    var path = path
    var isLink = false
    for _ in 0..<Self.limit {
      guard let text = Self.text(of: path) else { break }
      isLink = true
      let target = FilePath(text)
      path = target.isAbsolute ? target : path.removingLastComponent().pushing(target)
      path.lexicallyNormalize()
    }
    guard isLink, access(path.string, F_OK) != 0 else { return nil }
    target = path
  }

  private static func text(of path: FilePath) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path.string, start, buffer.count)
      guard count > 0 else { return nil }
      return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
