import Images
import SystemPackage

/// The cluster that `kubectl` would speak to, as far as loading images is concerned.
struct KubeContext: Hashable {
  let name: String

  /// The cluster on this machine that it means: images reach it only by being loaded into its nodes.
  var cluster: (kind: LocalCluster.Kind, name: String)? {
    if name == "minikube" { return (.minikube, name) }
    for kind in [LocalCluster.Kind.kind, .k3d] where name.hasPrefix("\(kind.rawValue)-") {
      return (kind, String(name.dropFirst(kind.rawValue.count + 1)))
    }
    return nil
  }

  /// The current context of the first kubeconfig that names one.
  ///
  /// - Returns: `nil` where there is none, or it can't be read: no cluster is then meant.
  static func current(environment: [String: String]) -> KubeContext? {
    var files = (environment["KUBECONFIG"] ?? "").split(separator: ":").map { FilePath(String($0)) }
    if files.isEmpty, let home = environment["HOME"], !home.isEmpty {
      files = [FilePath(home).appending(".kube/config")]
    }
    for file in files {
      // An unreadable kubeconfig is kubectl's to complain about.
      if let name = (try? text(of: file)).flatMap(currentContext) { return KubeContext(name: name) }
    }
    return nil
  }

  /// The value of the one top-level key that matters, so that no YAML need be understood.
  static func currentContext(in text: String) -> String? {
    let key = "current-context:"
    for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(key) {
      let value = line.dropFirst(key.count).filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
      return value.isEmpty ? nil : value
    }
    return nil
  }

  private static func text(of path: FilePath) throws -> String {
    guard case .file(let file) = try ArchiveFile.open(path) else { return "" }
    let bytes = try file.bytes(at: 0, count: Int(min(file.size, 8 << 20)))
    return String(decoding: bytes, as: UTF8.self)
  }
}
