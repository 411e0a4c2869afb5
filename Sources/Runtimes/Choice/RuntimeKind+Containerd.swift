package import SystemPackage

extension RuntimeKind {
  /// The containerd of this machine.
  ///
  /// A value is `NAMESPACE`, `NAMESPACE@ADDRESS` or `@ADDRESS`. Without a namespace it is that of
  /// `CONTAINERD_NAMESPACE`, else `default`, as `ctr` has it; without an address that of `CONTAINERD_ADDRESS`, else the
  /// usual one.
  static let containerd = RuntimeKind(
    "containerd", usage: "containerd[:NAMESPACE[@SOCKET]]",
    remedy: { _ in
      "start it (sudo systemctl start containerd), run as its user, or set CONTAINERD_ADDRESS"
    },
    parse: { value, place throws(RuntimeChoiceError) in
      let (namespace, address) = parts(of: value)
      if let namespace, !RuntimeChoice.isName(namespace) { throw .invalidName(place.whole) }
      if address?.isEmpty == true || (namespace == nil && address == nil) {
        throw .invalidName(place.whole)
      }
      let absolute = address.map { place.directory.pushing(FilePath($0)).lexicallyNormalized() }
      return (namespace ?? "") + (absolute.map { "@\($0)" } ?? "")
    }
  ) { value, finder in
    let (namespace, address) = parts(of: value ?? "")
    finder.add(
      Containerd(
        namespace: namespace ?? finder.value("CONTAINERD_NAMESPACE") ?? "default",
        address: (address ?? finder.value("CONTAINERD_ADDRESS")).map { FilePath($0) },
        snapshotter: finder.value("CONTAINERD_SNAPSHOTTER"), runner: finder.runner))
  }

  private static func parts(of value: String) -> (namespace: String?, address: String?) {
    let parts = value.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let namespace = parts[0].isEmpty ? nil : String(parts[0])
    return (namespace, parts.count > 1 ? String(parts[1]) : nil)
  }
}

extension RuntimeChoice {
  package static func containerd(namespace: String?, address: FilePath?) -> RuntimeChoice {
    guard namespace != nil || address != nil else { return RuntimeChoice(.containerd) }
    return RuntimeChoice(.containerd, (namespace ?? "") + (address.map { "@\($0)" } ?? ""))
  }
}
