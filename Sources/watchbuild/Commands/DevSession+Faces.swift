import Basics
import Batching
import Dashboard
import Events
import FoundationEssentials
import Glibc
import Runner
import Runtimes
import Session
import Settings
import SystemPackage

/// The faces of a run beside its events: control socket, dashboard, and the keys of the screen.
extension DevSession {
  /// - Returns: `nil` where there can be no control socket; that is told.
  /// - Throws: `Problem` where another `dev` answers at the socket.
  func startControl() async throws -> ControlServer? {
    let settings = bench.settings
    let places = ControlPlace.places(
      for: settings.workspace, state: settings.stateDirectory.path,
      environment: invocation.environment)
    guard let place = places.first else { return nil }
    do {
      let socket = try await ControlSocket.listen(at: place, signpostAt: places.last)
      let server = ControlServer(socket, api)
      try await server.start()
      return server
    } catch ControlSocket.Failure.living(_, let process) {
      throw DevLock.other(process, workspace: settings.workspace)
    } catch let error where !(error is CancellationError) {
      bench.log.record(
        .degraded(reason: "no control socket, so that 'watchbuild wait' finds no dev: \(error)"))
      return nil
    }
  }

  /// - Returns: `nil` where none is asked for.
  /// - Throws: `Problem` where its address is taken.
  func startDashboard() async throws -> Dashboard? {
    guard let address = bench.settings.dashboard else { return nil }
    let dashboard = Dashboard(
      shown.sources(of: bench, api), at: address, memory: bench.settings.stateDirectory)
    let page = try await dashboard.start()
    shown.opened(page)
    if let screen = bench.screen {
      screen.say("dashboard: \(page)")
    } else {
      // Whoever reads standard error no longer is told by the next line there.
      try? OutputStream.standardError.write(lines: ["dashboard: \(page)"])
    }
    return dashboard
  }

  private var api: ControlAPI {
    let run = StatusReport.Run(
      version: watchbuildVersion, workspace: bench.settings.workspace, process: getpid(),
      start: Date(), trigger: bench.settings.trigger == .manual ? "manual" : watch.trigger)
    var api = ControlAPI(
      ask: { await session.ask($0) },
      status: {
        let state = session.state
        var report = StatusReport(
          run, loop: state.loop,
          window: state.window.map {
            StatusReport.Window(changes: $0.changes, openMs: $0.age.milliseconds)
          }, degraded: degraded.all, seq: bench.log.last)
        report.dashboard = shown.address
        report.versions.bazel = bench.activity.bazelVersion
        return report
      }, events: { EventLines(bench.log, since: $0, goesOn: $1) }, stop: stop)
    let kept = bench.settings.stateDirectory.appending(KeptOutput.directoryName)
    api.log = { image in
      // What can't be read is not there for a client either.
      (try? KeptOutput.log(of: image, cycle: nil, in: kept))?.text
    }
    return api
  }

  /// Keys take the road of the control socket's requests.
  var screenRun: LiveTerminal.Run {
    let session = session
    let api = api
    return LiveTerminal.Run(
      snapshot: { session.state.loop }, degraded: { [degraded] in degraded.all },
      press: { [stop] key in
        let demand: Request.Demand
        switch key {
        case .rebuild: demand = .rebuild([], cause: .trigger)
        case .build: demand = .trigger([], upTo: nil)
        case .pause: demand = session.state.loop.isPaused ? .resume : .pause
        case .quit: return stop()
        case .errors, .log, .images, .timings, .clear, .help, .suspend: return
        }
        Task { _ = await session.ask(demand) }
      },
      log: { image in
        api.log(image).map { bytes in
          String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
          ).map(String.init)
        }
      })
  }
}
