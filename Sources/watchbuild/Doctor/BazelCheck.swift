import Basics
import Glibc
import Processes
import Settings
import Synchronization
import SystemPackage

/// Checks whether Bazel can be run, and whether its server runs. Starts no server.
struct BazelCheck: Sendable {
  /// A name to be looked up in `PATH`, or a path.
  var executable: String
  /// Where it runs, because Bazelisk and wrappers look for files there.
  var workspace: FilePath?
  var runner: any CommandRunner
  var clock: any Clock<Duration>

  private static let patience = Duration.seconds(20)

  /// Asks for the version, which the client answers without its server.
  func finding() async -> Finding {
    let command = Command(executable, ["--version"], in: workspace)
    do {
      let answer = try await answer(to: command)
      return Self.finding(executable, exit: answer.exit, output: answer.text)
    } catch is CancellationError {
      return Finding(
        "bazel", .warn,
        "\(executable) --version did not answer within \(DurationText.text(Self.patience))",
        remedy: "run it once by hand; Bazelisk may have to download Bazel first")
    } catch {
      return Finding(
        "bazel", .error, "\(error)",
        remedy: "install bazel or bazelisk, or pass --bazel PATH (or set BAZEL)")
    }
  }

  static func finding(_ executable: String, exit: CommandExit, output: String) -> Finding {
    let line = output.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    guard exit == .exited(0) else {
      return Finding(
        "bazel", .error, "\(executable) --version failed: \(line)",
        remedy: "run it by hand, or pass another with --bazel PATH")
    }
    // Debian's package is built without a version stamp.
    let version = line == "bazel no_version" ? "bazel, built without a version number" : line
    return Finding("bazel", .ok, "\(version) (\(executable))")
  }

  /// Finds the server through the convenience link `bazel-out`, which leads into the output base.
  ///
  /// Source: https://bazel.build/remote/output-directories
  static func serverFinding(workspace: FilePath) -> Finding {
    guard let base = outputBase(of: workspace) else {
      return Finding("bazel server", .ok, "none is known; the first build starts it")
    }
    let file = base.appending("server").appending("server.pid.txt")
    // No file, no server.
    let bytes = (try? Disk.read(file, limit: 64)) ?? []
    let pid = Int32(String(decoding: bytes.prefix { (48...57).contains($0) }, as: UTF8.self))
    guard let pid, kill(pid, 0) == 0 || errno == EPERM else {
      return Finding("bazel server", .ok, "not running; the first build starts it")
    }
    return Finding("bazel server", .ok, "running, pid \(pid)")
  }

  private static func outputBase(of workspace: FilePath) -> FilePath? {
    // Without the link nothing was built here, or links are switched off.
    guard let out = try? Disk.realPath(workspace.appending("bazel-out")) else { return nil }
    let components = Array(out.components)
    guard let index = components.lastIndex(where: { $0.string == "execroot" }) else { return nil }
    return FilePath(root: out.root, components[..<index])
  }

  private func answer(to command: Command) async throws -> (exit: CommandExit, text: String) {
    let text = Transcript()
    let (runner, clock) = (runner, clock)
    let exit = try await withThrowingTaskGroup(of: CommandExit?.self) { group in
      group.addTask {
        try await runner.run(command) { chunk in
          switch chunk {
          case .standardOutput(let bytes), .standardError(let bytes): text.append(bytes)
          }
        }
      }
      group.addTask {
        try await clock.pause(for: Self.patience)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let exit = first else { throw CancellationError() }
      return exit
    }
    return (exit, text.text)
  }
}

/// Keeps a program's output, up to a bound: one that is no Bazel may write without end.
private final class Transcript: Sendable {
  private let bytes = Mutex<[UInt8]>([])

  func append(_ more: [UInt8]) {
    bytes.withLock { if $0.count < 65536 { $0 += more } }
  }

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}
