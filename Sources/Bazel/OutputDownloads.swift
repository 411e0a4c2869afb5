import Glibc
package import SystemPackage

/// Decides how Bazel is told to bring outputs here where a remote cache keeps them: pure.
///
/// First as `.bazelrc` has it. When that leaves an image elsewhere (`--remote_download_minimal`), what
/// was asked for is to come here, from then on in every cycle: an option that comes and goes would
/// cost more than it brings. Bazel 7.7 does not bring what it has known to lie elsewhere since
/// before a query; everything is then asked for, once.
package struct OutputDownloads: Hashable, Sendable {
  private enum Step { case asConfigured, topLevel, all }

  private var step = Step.asConfigured

  package init() {}

  /// To stand behind all other options.
  package var options: [String] {
    switch step {
    case .asConfigured: []
    case .topLevel: ["--remote_download_outputs=toplevel"]
    case .all: ["--remote_download_outputs=all"]
    }
  }

  /// What holds for the cycles to come.
  package var lasting: OutputDownloads {
    var lasting = self
    if step == .all { lasting.step = .topLevel }
    return lasting
  }

  /// Outputs did not come.
  ///
  /// - Returns: Whether there is more to be tried.
  package mutating func escalate() -> Bool {
    switch step {
    case .asConfigured: step = .topLevel
    case .topLevel: step = .all
    case .all: return false
    }
    return true
  }

  /// - Parameters:
  ///   - file: That is not here.
  ///   - option: That may be why, and where it stands.
  package static func problem(_ file: FilePath, option: String?) -> String {
    let cause = option.map { " (\($0))" } ?? ""
    return "Bazel left \(file.lastComponent?.string ?? file.string) in the remote cache\(cause); "
      + "watchbuild needs it here"
  }
}

extension OutputDownloads {
  /// The first output that is not on disk, or leads to what is not.
  package static func missing(among files: [FilePath]) -> FilePath? {
    files.first { path in
      var status = stat()
      return path.withPlatformString { stat($0, &status) } != 0 && errno == ENOENT
    }
  }
}
