package import SystemPackage

/// Where images are to go, as `--load` says it.
package struct RuntimeChoice: Sendable {
  /// Reads what follows the colon of a choice.
  ///
  /// - Returns: The same in its one form: paths absolute.
  typealias Parse =
    @Sendable (
      _ value: String, _ written: RuntimeText
    ) throws(RuntimeChoiceError) -> String

  /// A choice as it was written, for those that read what follows its colon.
  struct RuntimeText: Sendable {
    var whole: String
    /// The directory of relative paths.
    var directory: FilePath
  }

  package let kind: RuntimeKind
  /// The text behind the colon.
  package let value: String?

  init(_ kind: RuntimeKind, _ value: String? = nil) {
    self.kind = kind
    self.value = value
  }

  package static let auto = RuntimeChoice(.auto)
  package static let none = RuntimeChoice(.none)

  /// The words that a choice begins with, for suggestions and completion.
  package static let words = RuntimeKind.all.map(\.word)

  /// All that may be written, in one phrase.
  package static let help: String = {
    let usages = RuntimeKind.all.map(\.usage)
    return usages.dropLast().joined(separator: ", ") + " or " + (usages.last ?? "")
  }()

  /// - Parameters:
  ///   - text: One of the words, some with a value behind a colon.
  ///   - directory: What a relative `DIR` is relative to.
  /// - Throws: `RuntimeChoiceError` for any other text.
  package init(_ text: String, relativeTo directory: FilePath) throws(RuntimeChoiceError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let value = parts.count > 1 ? String(parts[1]) : nil
    guard let kind = RuntimeKind.all.first(where: { $0.word == parts[0] }),
      kind.takesValue || value == nil
    else { throw .unknown(text) }
    // One that needs a value says what it lacks.
    let given = value ?? (kind.needsValue ? "" : nil)
    let place = RuntimeText(whole: text, directory: directory)
    var read: String?
    if let given { read = try kind.parse(given, place) }
    self.init(kind, read)
  }

  /// True for a name that all tools accept and none takes for an option: letters, digits, and `.`, `_`, `-` between
  /// them.
  static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isLetter || first.isNumber else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
  }
}

extension RuntimeChoice: Hashable {
  package static func == (left: RuntimeChoice, right: RuntimeChoice) -> Bool {
    left.kind.word == right.kind.word && left.value == right.value
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(kind.word)
    hasher.combine(value)
  }
}

extension RuntimeChoice: CustomStringConvertible {
  /// As it is written.
  package var description: String { kind.word + (value.map { ":\($0)" } ?? "") }
}

/// A `--load` that can't be followed.
package enum RuntimeChoiceError: Error, Hashable, CustomStringConvertible {
  case missingDirectory
  case missingHost
  case invalidName(String)
  case unknown(String)
  /// `none` beside another.
  case contradiction

  package var description: String {
    switch self {
    case .missingDirectory: "name the directory: oci:DIR"
    case .missingHost:
      "name the registry: registry:HOST[:PORT][/PREFIX], such as registry:localhost:5000"
    case .invalidName(let text): "'\(text)' names nothing: letters, digits and '.', '_', '-' only"
    case .unknown(let text):
      "'\(text)' is none of " + RuntimeKind.all.map(\.shortUsage).joined(separator: ", ")
    case .contradiction: "'none' loads nowhere, so no other target can stand beside it"
    }
  }
}
