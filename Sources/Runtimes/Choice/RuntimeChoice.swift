package import SystemPackage

/// Where images are to go, as `--load` says it.
package enum RuntimeChoice: Hashable, Sendable {
  /// The local cluster of the current kube context, else docker, else podman, else the image store
  /// that comes with watchbuild.
  case auto
  case docker
  case podman
  /// - Parameters:
  ///   - namespace: `nil`: `CONTAINERD_NAMESPACE`, else `default`, as `ctr` has it.
  ///   - address: Of the socket; `nil`: `CONTAINERD_ADDRESS`, else the usual one.
  case containerd(namespace: String?, address: FilePath?)
  /// The nodes of a cluster on this machine; without a name, that of the current kube context, else
  /// the one that its tool makes by default.
  case cluster(LocalCluster.Kind, String?)
  case registry(RegistryAddress)
  /// An OCI image layout in this directory.
  case store(FilePath)
  /// Build only.
  case none

  package static let help =
    "docker, podman, containerd[:NAMESPACE[@SOCKET]], kind[:CLUSTER], k3d[:CLUSTER], minikube[:PROFILE], registry:HOST[/PREFIX], oci:DIR, none or auto"

  /// What may be written, for a suggestion.
  package static let words = [
    "auto", "docker", "podman", "containerd", "kind", "k3d", "minikube", "registry", "oci", "none",
  ]

  /// - Parameters:
  ///   - text: One of the words, some with a value behind a colon.
  ///   - directory: What a relative `DIR` is relative to.
  /// - Throws: `RuntimeChoiceError` for any other text.
  package init(_ text: String, relativeTo directory: FilePath) throws(RuntimeChoiceError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let value = parts.count > 1 ? String(parts[1]) : nil
    switch (String(parts[0]), value) {
    case ("auto", nil): self = .auto
    case ("docker", nil): self = .docker
    case ("podman", nil): self = .podman
    case ("none", nil): self = .none
    case ("containerd", let value): self = try Self.containerd(value, text, directory)
    case ("oci", let path?) where !path.isEmpty:
      self = .store(directory.pushing(FilePath(path)).lexicallyNormalized())
    case ("oci", _): throw .missingDirectory
    case ("registry", let value):
      guard let address = value.flatMap({ RegistryAddress($0) }) else { throw .missingHost }
      self = .registry(address)
    case (let word, let value):
      guard let kind = LocalCluster.Kind(rawValue: word) else { throw .unknown(text) }
      if let value, !Self.isName(value) { throw .invalidName(text) }
      self = .cluster(kind, value)
    }
  }

  /// `NAMESPACE`, `NAMESPACE@ADDRESS` or `@ADDRESS`.
  private static func containerd(
    _ value: String?, _ text: String, _ directory: FilePath
  ) throws(RuntimeChoiceError) -> RuntimeChoice {
    guard let value else { return .containerd(namespace: nil, address: nil) }
    let parts = value.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let namespace = parts[0].isEmpty ? nil : String(parts[0])
    let address = parts.count > 1 ? String(parts[1]) : nil
    if let namespace, !isName(namespace) { throw .invalidName(text) }
    if address?.isEmpty == true || (namespace == nil && address == nil) {
      throw .invalidName(text)
    }
    return .containerd(
      namespace: namespace,
      address: address.map { directory.pushing(FilePath($0)).lexicallyNormalized() })
  }

  /// Letters, digits, and `.`, `_`, `-` between them: what the tools accept, and nothing that they
  /// could take for an option.
  private static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isLetter || first.isNumber else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
  }
}

extension RuntimeChoice: CustomStringConvertible {
  /// As it is written.
  package var description: String {
    switch self {
    case .auto: "auto"
    case .docker: "docker"
    case .podman: "podman"
    case .containerd(nil, nil): "containerd"
    case .containerd(let namespace, let address):
      "containerd:\(namespace ?? "")" + (address.map { "@\($0)" } ?? "")
    case .cluster(let kind, let name): kind.rawValue + (name.map { ":\($0)" } ?? "")
    case .registry(let address): "registry:\(address)"
    case .store(let directory): "oci:\(directory)"
    case .none: "none"
    }
  }
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
      "'\(text)' is none of docker, podman, containerd, kind, k3d, minikube, registry:HOST, oci:DIR, "
        + "none, auto"
    case .contradiction: "'none' loads nowhere, so no other target can stand beside it"
    }
  }
}
