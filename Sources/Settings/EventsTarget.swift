package import Basics
package import SystemPackage

/// Where `--events` has JSON Lines written, beside people's lines.
package enum EventsTarget: Equatable, Sendable {
  /// Made anew where it is a regular file. Absolute.
  case file(FilePath)
  /// One that whoever started us has opened.
  case descriptor(Int32)

  /// The file as a watcher names it, links on the way resolved.
  package var realPath: FilePath? {
    guard case .file(let path) = self, let name = path.lastComponent else { return nil }
    // Where there is no such directory there is no such file either.
    return (try? Disk.realPath(path.removingLastComponent()))?.appending(name)
  }
}

extension SettingText {
  /// A path, or `fd:N`.
  package static func events(
    _ text: String, relativeTo base: FilePath
  ) throws(InvalidValue) -> EventsTarget {
    guard text.hasPrefix("fd:") else {
      guard !text.isEmpty else { throw InvalidValue("name a file, or fd:N") }
      return .file(base.pushing(FilePath(text)).lexicallyNormalized())
    }
    guard let number = Int32(text.dropFirst(3)), number > 0 else {
      throw InvalidValue(
        "'\(text)' is no descriptor; write one such as fd:3, or ./\(text) for a file")
    }
    return .descriptor(number)
  }
}
