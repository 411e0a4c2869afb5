/// Words of Bazel's query language.
enum QueryWord {
  /// A label as one word of a query, quoted where it holds what the query language has a use for.
  /// Source: https://bazel.build/query/language#tokens
  static func quoted(_ label: String) -> String {
    let isPlain = label.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "@/:._-".utf8.contains(byte)
      }
    }
    if isPlain { return label }
    return label.contains("\"") ? "'\(label)'" : "\"\(label)\""
  }

  /// A regular expression that matches just the text.
  static func pattern(matching text: String) -> String {
    String(text.flatMap { #"\.+*?()[]{}|^$"#.contains($0) ? ["\\", $0] : [$0] })
  }
}
