import Basics
import Graph

/// Decodes the answer of `bazel query --output=streamed_proto`, bytes fed as they come.
///
/// The answer is a row of `blaze_query.Target` messages, each after its length. We need few fields
/// of its forty; reading these by hand costs less than generated code for the rest.
/// Source: src/main/protobuf/build.proto in Bazel
struct QueryStream {
  /// The program's output is no stream of targets.
  typealias Malformed = WireReader.Malformed

  /// One target, with what our queries ask for.
  struct Target: Hashable {
    var entry: QueryEntry
    /// The rule's attributes that the query asked for: texts, labels, and lists of these. One that is chosen by a
    /// `select()` is left out, or has the values of all branches where it is a list.
    var attributes: [String: [String]] = [:]
    /// Labels of the files that the rule declares by name.
    var outputs: [String] = []
  }

  /// A target of this size is none: its length was misread.
  private static let maximumLength = 256 << 20

  private var pending: [UInt8] = []

  /// Takes bytes and hands out the targets that they complete.
  mutating func add(_ bytes: [UInt8]) throws(Malformed) -> [Target] {
    pending += bytes
    var targets: [Target] = []
    var rest = pending[...]
    while let message = try Self.message(&rest) {
      if let target = try Self.target(message) { targets.append(target) }
    }
    pending = Array(rest)
    return targets
  }

  /// True if all bytes given made whole targets.
  var isAtEnd: Bool { pending.isEmpty }

  /// The next whole message; `nil` when more bytes are needed.
  private static func message(
    _ bytes: inout ArraySlice<UInt8>
  ) throws(Malformed)
    -> ArraySlice<UInt8>?
  {
    // Ten bytes hold the longest varint; fewer may be cut off in the middle of one.
    guard bytes.count >= 10 || bytes.contains(where: { $0 < 0x80 }) else { return nil }
    var reader = WireReader(bytes)
    let length = try reader.varint()
    guard length <= maximumLength else { throw Malformed() }
    guard reader.bytes.count >= length else { return nil }
    bytes = reader.bytes.dropFirst(Int(length))
    return reader.bytes.prefix(Int(length))
  }

  private static func target(_ message: ArraySlice<UInt8>) throws(Malformed) -> Target? {
    var reader = WireReader(message)
    while let field = try reader.field() {
      switch field.number {
      case 2: return try rule(field.bytes)
      case 3:
        let (name, loads) = try nameAndList(field.bytes, list: 3)
        return Target(entry: .sourceFile(name: name, loads: loads))
      case 4:
        let (name, rules) = try nameAndList(field.bytes, list: 2)
        return Target(entry: .generatedFile(name: name, rule: rules.first ?? ""))
      default: continue  // Its type, or a package group, which the index does not need.
      }
    }
    return nil
  }

  private static func rule(_ message: ArraySlice<UInt8>) throws(Malformed) -> Target {
    var (name, kind, inputs, outputs) = ("", "", [String](), [String]())
    var attributes: [String: [String]] = [:]
    var reader = WireReader(message)
    while let field = try reader.field() {
      switch field.number {
      case 1: name = field.name
      case 2: kind = field.name
      case 4:
        let (attribute, values) = try self.attribute(field.bytes)
        if !values.isEmpty { attributes[attribute] = values }
      case 5: inputs.append(field.name)
      case 6: outputs.append(field.name)
      default: continue
      }
    }
    return Target(
      entry: .rule(name: name, kind: kind, inputs: inputs), attributes: attributes, outputs: outputs
    )
  }

  /// An attribute's name, and its one text or list of texts.
  private static func attribute(
    _ message: ArraySlice<UInt8>
  ) throws(Malformed)
    -> (name: String, values: [String])
  {
    var (name, values) = ("", [String]())
    var reader = WireReader(message)
    while let field = try reader.field() {
      switch field.number {
      case 1: name = field.name
      case 5, 6: values.append(field.name)
      default: continue
      }
    }
    return (name, values)
  }

  /// Field 1, and all of a repeated field of strings.
  private static func nameAndList(
    _ message: ArraySlice<UInt8>, list: UInt64
  ) throws(Malformed)
    -> (name: String, list: [String])
  {
    var (name, values) = ("", [String]())
    var reader = WireReader(message)
    while let field = try reader.field() {
      if field.number == 1 { name = field.name }
      if field.number == list { values.append(field.name) }
    }
    return (name, values)
  }
}

extension WireReader.Field {
  /// Bazel takes the bytes of names for Latin-1 and writes these as UTF-8, so that a name which is
  /// UTF-8 itself comes encoded twice (seen with 4.2.3). What was encoded once stays as it is.
  fileprivate var name: String {
    let text = text
    guard bytes.contains(where: { $0 >= 0x80 }),
      text.unicodeScalars.allSatisfy({ $0.value < 256 })
    else { return text }
    let inner = text.unicodeScalars.map { UInt8($0.value) }
    return String(validating: inner, as: UTF8.self) ?? text
  }
}
