import Basics
import Graph
import Images
import Processes
import Runtimes
import SystemPackage

/// Writes the files that differ into the containers that run, instead of a restart.
///
/// Only where files alone differ, and all is known of them: on any doubt the containers are replaced as ever. It is
/// noted before the first byte is written that a container is no longer what its image's ID says, so that whoever is
/// interrupted in between, or is started again later, replaces it.
struct SyncedRollout: Rollout {
  /// More files than these are not looked at one by one afterwards: the container is replaced.
  private static let mostFiles = 500

  let restart: any RestartingRollout
  let notice: SyncNotice?
  let synced: SyncedContainers
  let notes: RolloutNotes?
  let directory: FilePath
  let rule: RolloutRule
  let runner: any CommandRunner
  let clock: any Clock<Duration>

  var kind: String { restart.kind }
  var target: String { restart.target }
  var lane: String { restart.lane }

  func roll(_ image: RolledImage) async throws -> RolloutResult {
    // Without its files it is one restart more.
    try await replace(image, isForced: true, [])
  }

  func roll(_ image: RolledImage, from archive: ImageArchive) async throws -> RolloutResult {
    // The next image is compared with these.
    let files = ImageFiles(archive, memory: synced.layers)
    defer { synced.learn(files, as: image) }
    guard let (engine, containers) = try await restart.running(), !containers.isEmpty else {
      return try await restart.roll(image)
    }
    var noted: [String: Digest] = [:]
    for id in containers { noted[id] = await notes?.synced(id) }
    let isTouched = !noted.isEmpty || containers.contains { synced.held(by: $0) != nil }
    var plans: [Plan] = []
    for id in containers {
      guard let spec = try await engine.containerSpec(id) else { continue }
      guard let plan = plan(spec, noted: noted[id], for: image, files) else {
        return try await replace(image, isForced: isTouched, containers)
      }
      plans.append(plan)
    }
    let isLive = rule.verification == .live
    let open = plans.filter { !$0.difference.isEmpty }
    if open.isEmpty {
      // All hold it: by ID, or by what was written into them.
      if !isTouched { return try await restart.roll(image) }
      return RolloutResult(isChanged: false, isLive: isLive)
    }
    do {
      for plan in open { try await write(plan, of: archive, in: engine) }
      // Also a program that could not be told is replaced the next time: nothing says yet what its files are.
      try await tell(open, image, in: engine)
      for plan in open {
        guard try await engine.containerSpec(plan.container)?.state.isRunning == true else {
          throw Doubt()
        }
      }
      for plan in open {
        synced.hold(files, in: plan.container)
        // The next run replaces a container of which there is no note.
        try? await notes?.noteSynced(image.configDigest, in: plan.container)
      }
    } catch is Doubt {
      return try await replace(image, isForced: true, containers)
    } catch is RuntimeError {
      return try await replace(image, isForced: true, containers)
    }
    return RolloutResult(
      isChanged: true, isLive: isLive, files: open.map(\.difference.fileCount).max())
  }

  /// Files may not be what they should be.
  private struct Doubt: Error {}

  private struct Plan {
    var container: String
    var difference: FileDifference
  }

  /// Replaces the containers, and forgets what was written into them.
  private func replace(
    _ image: RolledImage, isForced: Bool, _ containers: [String]
  ) async throws -> RolloutResult {
    let result = try await restart.roll(image, isForced: isForced)
    for id in containers {
      synced.hold(nil, in: id)
      // A note too many costs a restart.
      try? await notes?.noteSynced(nil, in: id)
    }
    return result
  }

  /// - Returns: `nil` where the container is to be replaced.
  private func plan(
    _ spec: ContainerSpec, noted: Digest?, for image: RolledImage, _ new: ImageFiles
  ) -> Plan? {
    let old: ImageFiles
    if let held = synced.held(by: spec.id) {
      old = held
    } else if let noted {
      // By an earlier run: all of it, or no one knows what.
      guard noted == image.configDigest else { return nil }
      synced.hold(new, in: spec.id)
      return Plan(container: spec.id, difference: FileDifference())
    } else if let known = synced.image(spec.image) {
      old = known
    } else {
      // The engine's ID of an image need not be the configuration's digest.
      guard spec.image.hasSuffix(image.id.hexadecimal) else { return nil }
      old = new
    }
    guard let difference = FileDifference(from: old, to: new),
      difference.contents.count + difference.goneCount <= Self.mostFiles,
      spec.obstacle(to: difference.paths) == nil
    else { return nil }
    return Plan(container: spec.id, difference: difference)
  }

  // MARK: Writing

  private func write(
    _ plan: Plan, of archive: ImageArchive, in engine: EngineClient
  ) async throws {
    let (id, difference) = (plan.container, plan.difference)
    guard let tar = archive.tar(of: difference) else { throw Doubt() }
    // Until all is done, nobody knows what it holds.
    do {
      try await notes?.noteSynced(Digest(of: []), in: id)
    } catch {
      throw Doubt()
    }
    synced.hold(nil, in: id)
    if !difference.removed.isEmpty {
      try await remove(["rm", "-f", "--"], difference.removed, in: id, engine)
    }
    if !difference.removedDirectories.isEmpty {
      try await remove(["rmdir", "--"], difference.removedDirectories, in: id, engine)
    }
    if !difference.written.isEmpty { try await engine.write(tar, into: id) }
    try await check(difference, in: id, engine)
  }

  private func remove(
    _ words: [String], _ paths: [String], in container: String, _ engine: EngineClient
  ) async throws {
    let exit = try await engine.run(words + paths.map { "/" + $0 }, in: container)
    // An image without these programs is one to restart.
    guard exit == 0 else { throw Doubt() }
  }

  /// Reads every file back.
  private func check(
    _ difference: FileDifference, in container: String, _ engine: EngineClient
  ) async throws {
    for (path, content) in difference.contents {
      let name = String(path.split(separator: "/").last ?? "")
      guard let tar = try await engine.tar(of: path, in: container),
        ImageArchive.contents(ofTar: tar)?[name] == content
      else { throw Doubt() }
    }
  }

  // MARK: Telling

  private func tell(
    _ plans: [Plan], _ image: RolledImage, in engine: EngineClient
  ) async throws {
    switch notice {
    case nil: break
    case .signal(let signal):
      for plan in plans {
        try await engine.kill(plan.container, signal: "SIG\(signal)")
      }
    case .command(let arguments):
      _ = try await CommandRollout(
        arguments: arguments, directory: directory, rule: rule, notes: nil, runner: runner,
        clock: clock
      ).roll(image)
    }
  }
}
