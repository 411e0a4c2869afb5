import Basics
import Processes
import Runner
import Runtimes
import Settings
import SystemPackage

/// Checks everything that watchbuild stands on, and says what to do about what it finds.
struct Doctor: Sendable {
  var workspace: Result<FilePath, Problem>
  var settings: Result<Settings, Problem>
  var environment: [String: String]
  var runner: any CommandRunner
  var clock: any Clock<Duration>
  /// Checks whether docker answers; its own step, because tests have none.
  var docker: @Sendable () async -> Finding
  /// Checks whether other runtimes answer that the settings name.
  var runtimes: @Sendable (Settings) async -> [Finding] = { _ in [] }

  func findings() async -> [Finding] {
    var findings: [Finding] = []
    let root = try? workspace.get()
    switch workspace {
    case .success(let root): findings.append(Finding("workspace", .ok, root.string))
    case .failure(let problem): findings.append(Finding("workspace", problem))
    }
    findings += configuration
    findings.append(await bazel(in: root).finding())
    if let root {
      findings.append(BazelCheck.serverFinding(workspace: root))
      if case .success(let settings) = settings {
        findings += BazelOptionsCheck.findings(for: settings)
      }
      findings += InotifyCheck.read(directories: DirectoryCount.of(root)).findings
      findings.append(FileSystemCheck.finding(for: root))
    }
    findings.append(required(await docker()))
    if case .success(let settings) = settings { findings += await runtimes(settings) }
    return findings
  }

  private var configuration: [Finding] {
    switch settings {
    case .success(let settings):
      let images = ConfigurationSummary.text(settings.entries)
      let file = settings.configurationFile.map { "\($0.displayName): " } ?? ""
      let known = SavedIndexes.imageNames(of: settings.workspace, in: settings.stateDirectory)
      return [
        Finding("configuration", .ok, file + images), Self.images(known),
        state(settings.stateDirectory),
      ]
    case .failure(let problem):
      // A missing workspace has been told already.
      guard case .success = workspace else { return [] }
      return [Finding("configuration", problem)]
    }
  }

  /// - Parameter known: To the latest run of `dev`. Asking Bazel would start its server.
  static func images(_ known: [String]) -> Finding {
    guard !known.isEmpty else {
      return Finding(
        "images", .ok, "no dev has run here yet; 'watchbuild images' asks bazel which there are")
    }
    let shown = known.sorted().prefix(5).joined(separator: ", ")
    let more = known.count > 5 ? " +\(known.count - 5)" : ""
    return Finding(
      "images", .ok,
      "the latest dev found \(Quantity.text(known.count, "image")): \(shown)\(more)")
  }

  private func state(_ directory: PrivateDirectory) -> Finding {
    do {
      try StateDirectory.prepare(directory)
      return Finding("state", .ok, directory.path.string)
    } catch {
      return Finding("state", error)
    }
  }

  private func bazel(in root: FilePath?) -> BazelCheck {
    let named = ["WATCHBUILD_BAZEL", "BAZEL"].compactMap { environment[$0] }
      .first { !$0.isEmpty }
    let executable = (try? settings.get().bazelCommand) ?? named ?? "bazel"
    return BazelCheck(executable: executable, workspace: root, runner: runner, clock: clock)
  }

  /// With `load: docker` its absence is an error; with `auto` there is another place for images.
  private func required(_ finding: Finding) -> Finding {
    var finding = finding
    if finding.status == .warn, case .success(let settings) = settings {
      if settings.loadTargets.contains(.docker) {
        finding.status = .error
      } else if settings.loadTargets.contains(.auto) {
        finding.message += "; 'load' says where images go instead"
      } else {
        finding.status = .ok
        finding.remedy = nil
        finding.message += "; it is not used here"
      }
    }
    return finding
  }
}
