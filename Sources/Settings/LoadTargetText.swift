import Basics
import Runtimes
import SystemPackage

/// Reads what `--load` and `load.to` name: where images go.
enum LoadTargetText {
  /// A list of them in the schema of the file.
  static var schema: String {
    let texts = ["auto", "docker", "podman", "containerd:k8s.io", "kind:dev", "oci:images"]
    let examples = texts.map { "\"\($0)\"" }.joined(separator: ", ")
    return
      #""type": "array", "items": {"type": "string", "pattern": "\#(pattern)", "examples": [\#(examples)]}"#
  }

  private static var pattern: String {
    let words = RuntimeKind.all.map { kind in
      kind.needsValue ? "\(kind.word):.+" : kind.takesValue ? "\(kind.word)(:.+)?" : kind.word
    }
    return "^(\(words.joined(separator: "|")))$"
  }

  /// - Parameter base: What `oci:DIR` is relative to.
  static func parse(_ text: String, relativeTo base: FilePath) throws(InvalidValue) -> RuntimeChoice
  {
    do {
      return try RuntimeChoice(text, relativeTo: base)
    } catch .unknown(let unknown) {
      let kind = String(unknown.prefix { $0 != ":" })
      throw InvalidValue(
        "\(RuntimeChoiceError.unknown(unknown))"
          + Suggestion.text(for: kind, among: RuntimeChoice.words))
    } catch {
      throw InvalidValue("\(error)")
    }
  }

  /// - Returns: The targets in their order, each once.
  static func parse(
    list texts: [String], relativeTo base: FilePath
  ) throws(InvalidValue) -> [RuntimeChoice] {
    var targets: [RuntimeChoice] = []
    for text in texts {
      let target = try parse(text, relativeTo: base)
      if !targets.contains(target) { targets.append(target) }
    }
    return try checked(targets)
  }

  /// - Throws: `InvalidValue` when the targets contradict each other.
  static func checked(_ targets: [RuntimeChoice]) throws(InvalidValue) -> [RuntimeChoice] {
    guard targets.count == 1 || !targets.contains(.none) else {
      throw InvalidValue("\(RuntimeChoiceError.contradiction)")
    }
    return targets
  }
}
