/// A Bazel label in canonical form, such as `//services/api:image.tar` or `@ext//:lib`.
///
/// `//a/b` is read as `//a/b:b`, `@ext` as `@ext//:ext`, and `@//` and `@@//` (the main repository,
/// as Bazel 6 and later may print it) as `//`, so that one target has one label.
/// Source: https://bazel.build/concepts/labels
package struct Label: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let description: String

  /// - Returns: `nil` when the text is no absolute label: a relative one, a pattern (`...`), a flag.
  package init?(_ text: String) {
    var text = Substring(text)
    if text.hasPrefix("@@//") { text = text.dropFirst(2) }
    if text.hasPrefix("@//") { text = text.dropFirst() }
    guard let slashes = text.firstRange(of: "//") else {
      guard let name = Self.shortForm(text) else { return nil }
      description = "\(text)//:\(name)"
      return
    }
    let repository = text[..<slashes.lowerBound]
    guard repository.isEmpty || repository.hasPrefix("@"), !repository.contains(":") else {
      return nil
    }
    let rest = text[slashes.upperBound...]
    let colon = rest.firstIndex(of: ":")
    let package = rest[..<(colon ?? rest.endIndex)]
    let name: Substring
    if let colon {
      name = rest[rest.index(after: colon)...]
    } else {
      let slash = package.lastIndex(of: "/")
      name = slash.map { package[package.index(after: $0)...] } ?? package
    }
    let isPattern =
      package.hasSuffix("...") || ["*", "all", "all-targets"].contains(name)
      || name == "..."
    guard !name.isEmpty, !isPattern, !package.hasPrefix("/"), !package.hasSuffix("/"),
      !text.contains(where: \.isNewline), !name.contains(":")
    else { return nil }
    description = "\(repository)//\(package):\(name)"
  }

  /// The target that a repository's name alone stands for, as `ext` for `@ext` and `@@ext`.
  private static func shortForm(_ text: Substring) -> Substring? {
    let name = text.hasPrefix("@@") ? text.dropFirst(2) : text.dropFirst()
    guard text.hasPrefix("@"), !name.isEmpty,
      name.utf8.allSatisfy({ byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "_.-~+".utf8.contains(byte)
        }
      })
    else { return nil }
    return name
  }

  /// The package's path from the repository's root: `services/api`; empty for the root package.
  package var package: Substring {
    let start = description.firstRange(of: "//")?.upperBound ?? description.startIndex
    let colon = description[start...].firstIndex(of: ":") ?? description.endIndex
    return description[start..<colon]
  }

  /// The part after the colon: `image.tar`.
  package var name: Substring {
    let start = description.firstRange(of: "//")?.upperBound ?? description.startIndex
    guard let colon = description[start...].firstIndex(of: ":") else { return "" }
    return description[description.index(after: colon)...]
  }

  /// `@ext`, or empty for the main repository.
  package var repository: Substring {
    description[..<(description.firstRange(of: "//")?.lowerBound ?? description.startIndex)]
  }

  package static func < (left: Label, right: Label) -> Bool {
    left.description < right.description
  }
}

/// In a file a label is its text.
extension Label: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let label = Label(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is no label")
    }
    self = label
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
