import Basics
import Dashboard
import Events
import Glibc
import Graph
import Runner
import Session
import Settings
import Synchronization
import SystemPackage
import Watcher

/// What the dashboard is shown of a run beside its events.
final class ShownRun: Sendable {
  private struct State {
    var address: String?
    var indexes: [FilePath: TargetIndex] = [:]
  }

  private let state = Mutex(State())

  /// Where the dashboard is served, with its token.
  var address: String? { state.withLock(\.address) }

  func opened(_ address: String) { state.withLock { $0.address = address } }

  /// Takes the newest index of a workspace.
  func add(_ index: TargetIndex) { state.withLock { $0.indexes[index.workspace] = index } }

  func sources(of bench: Workbench, _ control: ControlAPI) -> DashboardSources {
    let settings = bench.settings
    var sources = DashboardSources(
      hub: bench.log, control: control,
      why: { path in
        let indexes = self.state.withLock {
          $0.indexes.values.sorted { $0.workspace.string < $1.workspace.string }
        }
        return WhyAnswer(of: path, in: settings.workspace, by: indexes)
      })
    sources.trace = { Self.trace(of: $0, settings) }
    sources.look = {
      Surroundings(watchLimit: InotifyLimits.current.maxUserWatches, disks: Self.disks(settings))
    }
    return sources
  }

  /// The trace of a cycle of this run, as `watchbuild profile --trace` writes it.
  private static func trace(of cycle: Int, _ settings: Settings) -> [UInt8]? {
    // What can't be read or written is not there for the page either.
    guard let runs = try? ProfileStore.all(in: settings.profileDirectory),
      let run = runs.first(where: { $0.name == "\(getpid())" }),
      let profile = run.cycles.first(where: { $0.cycle == cycle }),
      let directory = try? settings.stateDirectory.open()
    else { return nil }
    let name = ".tmp-trace-\(getpid())-\(cycle)"
    defer { directory.remove(name) }
    guard let file = try? directory.open(name, .writeOnly, options: [.create, .truncate]),
      (try? file.closeAfter { try ChromeTrace(of: [profile], in: run).write(to: file) }) != nil
    else { return nil }
    return (try? directory.read(name, limit: 64 << 20)) ?? nil
  }

  /// The file systems that builds and images fill.
  private static func disks(_ settings: Settings) -> [Health.Disk] {
    [("workspace", settings.workspace), ("state", settings.stateDirectory.path)]
      .compactMap { what, path in
        var status = statvfs()
        guard statvfs(path.string, &status) == 0, status.f_frsize > 0 else { return nil }
        let size = Int64(status.f_frsize)
        return Health.Disk(
          what: what, path: path.string, freeBytes: Int64(status.f_bavail) * size,
          totalBytes: Int64(status.f_blocks) * size)
      }
  }
}
