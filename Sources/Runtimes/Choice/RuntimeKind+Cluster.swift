extension RuntimeKind {
  /// The nodes of a cluster on this machine; without a name, that of the current kube context, else the one that its
  /// tool makes by default.
  static func cluster(_ kind: LocalCluster.Kind) -> RuntimeKind {
    RuntimeKind(
      kind.rawValue, usage: "\(kind.rawValue)[:\(kind == .minikube ? "PROFILE" : "CLUSTER")]",
      answers: Answer(rank: 0) { finder, problems in
        guard let context = KubeContext.current(environment: finder.environment),
          let found = context.cluster, found.kind == kind
        else { return nil }
        let cluster = finder.cluster(kind, found.name)
        do {
          try await cluster.check()
          finder.add(cluster)
          return cluster.name
        } catch let error as RuntimeError {
          await cluster.shutdown()
          problems.append("the current kube context is \(context.name), but \(error.message)")
          return nil
        }
      }, remedy: { _ in "create the cluster, or name another: --load \(kind.rawValue):NAME" },
      parse: { name, place throws(RuntimeChoiceError) in
        guard RuntimeChoice.isName(name) else { throw .invalidName(place.whole) }
        return name
      }
    ) { name, finder in finder.add(finder.cluster(kind, name ?? finder.usualCluster(of: kind))) }
  }
}

extension RuntimeChoice {
  package static func cluster(_ kind: LocalCluster.Kind, _ name: String?) -> RuntimeChoice {
    RuntimeChoice(.cluster(kind), name)
  }
}

extension RuntimeFinder {
  fileprivate mutating func add(_ cluster: LocalCluster) {
    add(cluster) { await cluster.shutdown() }
  }

  /// The cluster that its tool would take, or kubectl.
  fileprivate func usualCluster(of kind: LocalCluster.Kind) -> String {
    let current = KubeContext.current(environment: environment)?.cluster
    let own =
      switch kind {
      case .kind: value("KIND_CLUSTER_NAME")
      case .minikube: value("MINIKUBE_PROFILE")
      case .k3d: nil as String?
      }
    return own ?? (current?.kind == kind ? current?.name : nil) ?? kind.defaultCluster
  }

  fileprivate func cluster(_ kind: LocalCluster.Kind, _ name: String) -> LocalCluster {
    // As kind itself chooses.
    let engine = kind == .kind ? value("KIND_EXPERIMENTAL_PROVIDER") : nil
    return LocalCluster(
      kind, cluster: name, engines: engine.map { [$0] } ?? ["docker", "podman"],
      environment: environment, runner: runner)
  }
}
