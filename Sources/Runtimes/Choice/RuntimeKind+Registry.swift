extension RuntimeKind {
  /// A registry, and what stands before each image's name there.
  static let registry = RuntimeKind(
    "registry", usage: "registry:HOST[/PREFIX]",
    remedy: { value in
      let host = value.flatMap { RegistryAddress($0) }?.host ?? "HOST"
      return "start it, or log in: docker login \(host)"
    },
    parse: { value, _ throws(RuntimeChoiceError) in
      guard let address = RegistryAddress(value) else { throw .missingHost }
      return "\(address)"
    }
  ) { value, finder in
    guard let address = value.flatMap({ RegistryAddress($0) }) else {
      throw RuntimeChoiceError.missingHost
    }
    let registry = Registry(
      address, environment: finder.environment,
      certificates: RegistryCertificates.directories(finder.environment), runner: finder.runner)
    finder.add(registry) { await registry.shutdown() }
  }
}

extension RuntimeChoice {
  package static func registry(_ address: RegistryAddress) -> RuntimeChoice {
    RuntimeChoice(.registry, "\(address)")
  }
}
