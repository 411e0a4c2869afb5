import SystemPackage

/// Reads what `--load` and `load.to` name: where images go.
enum LoadTargetText {
  private static let supported = ["auto", "docker", "none", "oci"]
  private static let later = ["containerd", "k3d", "kind", "minikube", "podman", "registry"]

  /// The target, with the directory of `oci:DIR` made absolute.
  static func parse(_ text: String, relativeTo base: FilePath) throws(InvalidValue) -> String {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let kind = String(parts.first ?? "")
    let argument = parts.count > 1 ? String(parts[1]) : nil
    switch (kind, argument) {
    case ("auto", nil), ("docker", nil), ("none", nil): return text
    case ("oci", let directory?) where !directory.isEmpty:
      return "oci:\(base.pushing(FilePath(directory)).lexicallyNormalized())"
    case ("oci", _): throw InvalidValue("name the directory: oci:DIR")
    case _ where later.contains(kind):
      throw InvalidValue(
        "loading into \(kind) is not supported by this version; use docker, oci:DIR, none or auto")
    case _ where supported.contains(kind):
      throw InvalidValue("'\(kind)' takes nothing after a colon")
    default:
      throw InvalidValue(
        "'\(text)' is none of docker, oci:DIR, none, auto"
          + Suggestion.text(for: kind, among: supported + later))
    }
  }

  /// The targets in their order, each once.
  static func parse(
    list texts: [String], relativeTo base: FilePath
  ) throws(InvalidValue) -> [String] {
    var targets: [String] = []
    for text in texts {
      let target = try parse(text, relativeTo: base)
      if !targets.contains(target) { targets.append(target) }
    }
    if targets.contains("none"), targets.count > 1 {
      throw InvalidValue("'none' loads nowhere, so no other target can stand beside it")
    }
    return targets
  }
}
