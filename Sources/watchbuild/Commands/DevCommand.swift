import ArgumentParser
import Batching
import Runner
import SystemPackage
import Watcher

/// `watchbuild dev`: watch, batch, build, load; in the foreground, until told to stop.
struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev", abstract: "Watch the workspace and keep its images up to date.")

  @OptionGroup var loop: LoopOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let settings = try Settings.resolve(common: common, loop: loop)
    let stopping = Stopping()
    let bench = try Workbench(settings, outputClosed: stopping.outputClosed)
    let lock = try DevLock.acquire(for: settings.workspace, in: settings.stateDirectory)
    defer { lock.release() }
    // Before anything is started: the library's descriptor must not leak into a child.
    let watch = try Watch(settings)
    do {
      try await stopping.run { bench.log.record(.stopping(reason: $0)) } work: {
        try await DevSession(bench: bench, watch: watch, common: common, loop: loop).run()
      }
    } catch {
      await watch.stop()
      throw error is LockHeld ? Problem("\(error)", status: .lockHeld) : error
    }
    await watch.stop()
  }
}
