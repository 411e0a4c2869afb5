import ArgumentParser
import Basics
import Events
import Runner
import Session
import Settings
import SystemPackage

/// `watchbuild dev`: watch, batch, build, load; in the foreground, until told to stop.
struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev", abstract: "Watch the workspace and keep its images up to date.")

  @OptionGroup var loop: LoopOptions
  @OptionGroup var watching: WatchOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let invocation = try Invocation(common)
    let settings = try invocation.settings(loop: loop, watching: watching)
    let stopping = Stopping()
    // First of all, so that something is seen at once.
    let screen = try LiveTerminal.open(settings, environment: invocation.environment)
    defer { screen?.end() }
    let bench = try Workbench(
      settings, events: settings.events, screen: screen, outputClosed: stopping.outputClosed)
    let lock = try DevLock.acquire(
      in: settings.stateDirectory, workspace: settings.workspace)
    defer { lock.release() }
    // Before anything is started: the library's descriptor must not leak into a child.
    let watch = try Watch(settings)
    do {
      try await stopping.run(showing: bench.shown, { bench.log.record(.stopping(reason: $0)) }) {
        try await DevSession(
          bench: bench.holding(lock), watch: watch, invocation: invocation, loop: loop,
          watching: watching, stop: stopping.stop
        ).run()
      }
    } catch {
      await watch.stop()
      throw error is LockHeld ? Problem("\(error)", status: .lockHeld) : error
    }
    await watch.stop()
  }
}
