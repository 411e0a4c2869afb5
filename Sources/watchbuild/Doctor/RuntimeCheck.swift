import Runtimes
import SystemPackage

/// Checks whether the runtimes answer that images are to go to; docker has a check of its own.
enum RuntimeCheck {
  static func findings(
    _ choices: [RuntimeChoice], store: FilePath, environment: [String: String]
  ) async -> [Finding] {
    var findings: [Finding] = []
    for choice in choices {
      if choice == .auto {
        findings.append(await automatic(store: store, environment: environment))
      }
      guard let remedy = choice.kind.remedy(choice.value) else { continue }
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

  /// Where `dev` would load, if nobody says where.
  private static func automatic(
    store: FilePath, environment: [String: String]
  ) async -> Finding {
    do {
      let targets = try await LoadTargets.resolve([.auto], store: store, environment: environment)
      await targets.shutdown()
      let names = targets.runtimes.map(\.name).joined(separator: ", ")
      return Finding("load", .ok, "auto: dev loads into \(names)")
    } catch {
      return Finding(
        "load", .error, "\(error)", remedy: "name where images are to go: --load docker")
    }
  }
}
