import Runtimes
import SystemPackage

/// Whether the runtimes answer that images are to go to; docker has a check of its own.
enum RuntimeCheck {
  static func findings(
    _ choices: [RuntimeChoice], store: FilePath, environment: [String: String]
  ) async -> [Finding] {
    var findings: [Finding] = []
    for choice in choices {
      guard let remedy = remedy(for: choice) else { continue }
      do {
        let targets = try await LoadTargets.resolve(
          [choice], store: store, environment: environment)
        for runtime in targets.runtimes {
          let isThere = await runtime.isAvailable()
          findings.append(
            isThere
              ? Finding(runtime.name, .ok, "answers")
              : Finding(runtime.name, .error, "does not answer", remedy: remedy))
        }
        await targets.shutdown()
      } catch {
        findings.append(Finding("\(choice)", .error, "\(error)", remedy: remedy))
      }
    }
    return findings
  }

  private static func remedy(for choice: RuntimeChoice) -> String? {
    switch choice {
    case .auto, .docker, .store, .none: nil
    case .podman: "see whether 'podman info' works, or install podman"
    case .containerd:
      "start it (sudo systemctl start containerd), run as its user, or set CONTAINERD_ADDRESS"
    case .cluster(let kind, _): "create the cluster, or name another: --load \(kind.rawValue):NAME"
    case .registry(let address): "start it, or log in: docker login \(address.host)"
    }
  }
}
