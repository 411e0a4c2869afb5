package import SystemPackage

/// Where images are to go, as `--load` says it.
package enum RuntimeChoice: Hashable, Sendable {
  /// Docker where it answers, else the image store that comes with watchbuild.
  case auto
  case docker
  /// An OCI image layout in this directory.
  case store(FilePath)
  /// Build only.
  case none

  /// What may be written, for a suggestion.
  package static let words = ["auto", "docker", "none", "oci"] + later

  private static let later = ["podman", "containerd", "kind", "k3d", "minikube", "registry"]

  /// - Parameters:
  ///   - text: `auto`, `docker`, `oci:DIR` or `none`.
  ///   - directory: What a relative `DIR` is relative to.
  /// - Throws: `RuntimeChoiceError` for any other text.
  package init(_ text: String, relativeTo directory: FilePath) throws(RuntimeChoiceError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil) {
    case ("auto", nil): self = .auto
    case ("docker", nil): self = .docker
    case ("none", nil): self = .none
    case ("oci", let path?) where !path.isEmpty:
      self = .store(directory.pushing(FilePath(path)).lexicallyNormalized())
    case ("oci", _): throw .missingDirectory
    case (let name, _) where Self.later.contains(name): throw .unsupported(text)
    default: throw .unknown(text)
    }
  }
}

extension RuntimeChoice: CustomStringConvertible {
  /// As it is written.
  package var description: String {
    switch self {
    case .auto: "auto"
    case .docker: "docker"
    case .store(let directory): "oci:\(directory)"
    case .none: "none"
    }
  }
}

/// A `--load` that can't be followed.
package enum RuntimeChoiceError: Error, Hashable, CustomStringConvertible {
  case missingDirectory
  /// Known, and not there yet.
  case unsupported(String)
  case unknown(String)
  /// `none` beside another.
  case contradiction

  package var description: String {
    switch self {
    case .missingDirectory: "name the directory: oci:DIR"
    case .unsupported(let text):
      "loading into \(text) is not supported by this version; use docker, oci:DIR, none or auto"
    case .unknown(let text): "'\(text)' is none of docker, oci:DIR, none, auto"
    case .contradiction: "'none' loads nowhere, so no other target can stand beside it"
    }
  }
}
