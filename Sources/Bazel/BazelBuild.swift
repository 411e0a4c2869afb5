import Basics
import Glibc
import Graph
package import Processes
import Synchronization
import SystemPackage

extension Bazel {
  /// The command that `build` runs for a request, for the record.
  ///
  /// The same in every cycle but for its targets and `--watchfs`, which is no part of a configuration: another option
  /// that comes and goes may make Bazel discard its analysis cache.
  package func command(for request: BuildRequest) -> Command {
    var arguments = startupOptions
    // Read by the client alone: it does not count as another startup option.
    if !request.waitsForLock { arguments.append("--noblock_for_lock") }
    arguments += [
      "build",
      request.keepsGoing ? "--keep_going" : "--nokeep_going",
      "--color=no",
      "--curses=no",
      "--build_event_json_file=\(eventFile)",
      // With a remote cache too, files are named by where they are on this machine.
      "--nobuild_event_json_file_path_conversion",
      // Bazel keeps a profile anyway; so it is known where, and not compressed.
      "--profile=\(profileFile)",
    ]
    if !request.outputGroups.isEmpty {
      let groups = Set(request.outputGroups).sorted().map { "+" + $0 }
      arguments.append("--output_groups=\(groups.joined(separator: ","))")
    }
    arguments += request.options + (request.watches ? [ServerWatch.option] : [])
    arguments += ["--"] + request.targets.map(\.description)
    return Command(executable, arguments, in: workspace)
  }

  /// Named after our process, because `watchbuild build` may run beside `watchbuild dev`.
  private var eventFile: FilePath { scratch.path.appending(EventFile.ownName) }

  private var profileFile: FilePath { scratch.path.appending("build-profile-\(getpid()).json") }

  /// Builds, telling of each target the moment it is done.
  ///
  /// At the end each requested target has been reported exactly once. A failed build is no error.
  /// One build at a time in one process and scratch directory.
  ///
  /// Cancelling the task interrupts Bazel once and waits for it. Targets that it had completed are
  /// reported as built, the others as skipped, and then this throws.
  ///
  /// - Parameters:
  ///   - request: What to build.
  ///   - update: Called one at a time, in the order of events; must not block.
  /// - Returns: How Bazel ended; each target's outcome has gone to `update`.
  /// - Throws: `CommandError` when Bazel can't be started; `CancellationError`; `BazelError` when
  ///   no file can be made in the scratch directory.
  package func build(
    _ request: BuildRequest, update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> BuildResult {
    // What an earlier build has left must not be taken for this one's.
    profileFile.withPlatformString { _ = unlink($0) }
    let session = try BuildSession(
      record: BuildRecord(
        targets: request.targets, workspace: workspace, keepsGoing: request.keepsGoing,
        read: { SmallFile.start(of: $0, limit: 1 << 20) }),
      file: EventFile(in: scratch), elapsed: clock.stopwatch(),
      look: look,
      update: BuildUpdate.listener(waitsForLock: request.waitsForLock, blaming(request, update)))
    defer { session.close() }
    let ending = ForcedEnd()
    // Not a child: it must outlive our own cancellation, because Bazel then still writes and its
    // client may still hang. Cancelled and awaited as soon as the client has ended.
    let reading = Task {
      while true {
        session.readEvents()
        session.lookAfter()
        if let force = session.forceDue { ending.end(force) }
        try await clock.pause(for: .milliseconds(10))
      }
    }
    let exit: Result<CommandExit, any Error>
    do {
      exit = .success(
        try await runner.run(command(for: request), input: nil, ending: ending) { chunk in
          if case .standardError(let bytes) = chunk { session.addError(bytes) }
        })
    } catch {
      exit = .failure(error)
    }
    reading.cancel()
    // It ends with its cancellation.
    _ = await reading.result
    do {
      let result = session.finish(try exit.get())
      if let profile = BazelProfile.read(profileFile) { update(.profile(profile)) }
      return result
    } catch is CancellationError {
      _ = session.finish(.exited(8))
      profileFile.withPlatformString { _ = unlink($0) }
      throw CancellationError()
    }
  }
}

extension Bazel {
  /// Adds whose command it was that had Bazel discard its cache, by the server's own log.
  private func blaming(
    _ request: BuildRequest, _ update: @escaping @Sendable (BuildUpdate) -> Void
  ) -> @Sendable (BuildUpdate) -> Void {
    { told in
      guard case .cacheDiscarded(let option, let message, nil) = told,
        let previous = ServerLog.culprit(
          in: ServerLog.tail(of: workspace),
          before: Array(command(for: request).arguments.drop { $0 != "build" }.dropFirst()))
      else { return update(told) }
      let isOurs = previous.arguments.contains {
        $0.hasPrefix("--build_event_json_file=\(scratch.path)")
      }
      update(
        .cacheDiscarded(
          option: option, message: message,
          cause: isOurs
            ? "watchbuild's own build of images with other options" : previous.description))
    }
  }
}
