import Basics
import Foundation
import Graph
import Images
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Runner
@testable import Runtimes

/// Files that are written into running containers of a real docker.
@Suite(.docker, .timeLimit(.minutes(10)))
struct SyncedRolloutTests {
  /// A container that runs busybox, and images that differ in what lies in `/app`.
  private struct Scene: Sendable {
    let container: RolledContainer
    let busybox: [UInt8]
    var notice: SyncNotice?
    /// Of one run of `dev`.
    var synced = SyncedContainers()

    var notes: RolloutNotes {
      RolloutNotes(in: PrivateDirectory(container.directory.appending("state")))
    }

    /// An image with these files, loaded; `DIR/` is a directory, `-> x` a link.
    func load(
      _ files: [String: String], modes: [String: Int] = [:], environment: [String] = []
    ) async throws -> (RolledImage, ImageArchive) {
      var tar = TarBuilder()
      for (name, content) in files.sorted(by: { $0.key < $1.key }) {
        if name.hasSuffix("/") {
          tar.add(name, typeflag: "5", mode: modes[name] ?? 0o755)
        } else if content.hasPrefix("-> ") {
          tar.add(name, typeflag: "2", link: String(content.dropFirst(3)))
        } else {
          tar.add(name, Array(content.utf8), mode: modes[name] ?? 0o644)
        }
      }
      var base = TarBuilder()
      base.add("bin/", typeflag: "5", mode: 0o755)
      base.add("bin/busybox", busybox, mode: 0o755)
      for program in ["rm", "rmdir", "sh"] {
        base.add("bin/\(program)", typeflag: "2", link: "busybox")
      }
      base.add(
        "init",
        Array("#!/bin/sh\ntrap 'echo told' HUP\nwhile :; do /bin/busybox sleep 0.1; done\n".utf8),
        mode: 0o755)
      var image = TestImage(layers: [base.finished(), tar.finished()], environment: environment)
      image.command = ["/init"]
      let file = container.directory.appending("\(image.id.hexadecimal).tar")
      try file.write(image.dockerArchive())
      let archive = try ImageArchive.open(file)
      let result = try await DockerEngine(container.client).load(
        archive, as: container.reference)
      return (
        RolledImage(
          name: container.name, references: [container.reference], configDigest: image.id,
          loaded: [container.client.runtime: result.id]), archive
      )
    }

    func roll(_ image: (RolledImage, ImageArchive)) async throws -> RolloutResult {
      let clock = ContinuousClock()
      let rule = RolloutRule(timeout: .seconds(20))
      return try await SyncedRollout(
        restart: ContainerRollout(
          container: container.name, engines: [container.client], rule: rule, clock: clock),
        notice: notice, synced: synced, notes: notes, directory: container.directory, rule: rule,
        runner: SubprocessRunner(), clock: clock
      ).roll(image.0, from: image.1)
    }

    /// All files of a container: kind, mode, owner, time, path, where a link leads, and content.
    func tree(of name: String) throws -> [String] {
      let script = """
        mkdir '\(container.directory)/tree' && cd '\(container.directory)/tree'
        docker -H \(container.program[2]) export '\(name)' | tar -x --exclude=dev --exclude=proc --exclude=sys
        find . -path ./etc -prune -o -path ./.dockerenv -prune -o \
          -mindepth 1 -printf '%y %m %U %G %p %l ' \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort
        cd ..; rm -r tree
        """
      return try Tool.run("bash", ["-c", script]).split(separator: "\n").map(String.init)
    }

    /// The tree of a container that is made from the image now.
    func fresh() throws -> [String] {
      let name = "\(container.name)-fresh"
      try container.engine(["create", "--name", name, container.reference.description])
      defer { _ = try? container.engine(["rm", "-f", name]) }
      return try tree(of: name)
    }
  }

  private func with(
    _ name: String, _ body: @Sendable (Scene) async throws -> Void
  ) async throws {
    try await RolledContainer.with("synced-\(name)") { container in
      let path = try Tool.run("sh", ["-c", "command -v busybox"]).split(separator: "\n").first
      try await body(
        Scene(container: container, busybox: try FilePath(String(path ?? "")).read()))
    }
  }

  @Test func `files that alone differ are written into what runs, and its program is told`()
    async throws
  {
    try await with("told") { scene in
      var scene = scene
      scene.notice = .signal(try #require(SignalName("HUP")))
      let one = try await scene.load(["app/": "", "app/a": "1", "app/b": "1"])
      try scene.container.make("--network", "none")
      #expect(try await scene.roll(one).isChanged == false)
      let before = try await scene.container.spec().id
      let two = try await scene.load(["app/": "", "app/a": "2", "app/c": "3"])
      #expect(try await scene.roll(two) == RolloutResult(isChanged: true, isLive: true, files: 3))
      #expect(try await scene.container.spec().id == before)
      #expect(try scene.tree(of: scene.container.name) == scene.fresh())
      while await !scene.container.client.lastLines(of: scene.container.name).contains("told") {
        try await ContinuousClock().pause(for: .milliseconds(20))
      }
      #expect(try await scene.roll(two) == RolloutResult(isChanged: false, isLive: true))
      // Back to the image that its ID still names: that is a difference, too.
      #expect(try await scene.roll(one).files == 3)
      #expect(try scene.tree(of: scene.container.name).contains { $0.contains("./app/b ") })
    }
  }

  @Test func `what is more than files, or not known, is a restart`() async throws {
    try await with("restart") { scene in
      var scene = scene
      let one = try await scene.load(["app/": "", "app/a": "1"])
      try scene.container.make("--network", "none")
      _ = try await scene.roll(one)
      let other = try await scene.load(["app/": "", "app/a": "1"], environment: ["X=1"])
      let before = try await scene.container.spec().id
      #expect(try await scene.roll(other) == RolloutResult(isChanged: true, isLive: true))
      let after = try await scene.container.spec().id
      #expect(after != before)

      // A run that knows nothing of a container into which an earlier one has written.
      let two = try await scene.load(["app/": "", "app/a": "2"], environment: ["X=1"])
      #expect(try await scene.roll(two).files == 1)
      scene.synced = SyncedContainers()
      #expect(try await scene.roll(two) == RolloutResult(isChanged: false, isLive: true))
      scene.synced = SyncedContainers()
      let back = try await scene.load(["app/": "", "app/a": "1"], environment: ["X=1"])
      #expect(try await scene.roll(back) == RolloutResult(isChanged: true, isLive: true))
      #expect(try await scene.container.spec().id != after)
      #expect(try scene.tree(of: scene.container.name) == scene.fresh())
    }
  }

  @Test func `a program that could not be told is replaced the next time`() async throws {
    try await with("untold") { scene in
      var scene = scene
      scene.notice = .command(["false"])
      let one = try await scene.load(["app/": "", "app/a": "1"])
      try scene.container.make("--network", "none")
      _ = try await scene.roll(one)
      let before = try await scene.container.spec().id
      let two = try await scene.load(["app/": "", "app/a": "2"])
      await #expect(throws: RolloutError.self) { try await scene.roll(two) }
      #expect(try await scene.container.spec().id == before)
      #expect(try await scene.roll(two) == RolloutResult(isChanged: true, isLive: true))
      #expect(try await scene.container.spec().id != before)
    }
  }

  @Test(arguments: [["--read-only"], ["--tmpfs", "/app"]])
  func `where files can't be written it is a restart`(options: [String]) async throws {
    try await with("fixed\(options.count)") { scene in
      let one = try await scene.load(["app/": "", "app/a": "1"])
      try scene.container.engine(
        ["run", "-d", "--name", scene.container.name, "--network", "none"] + options
          + [scene.container.reference.description])
      _ = try await scene.roll(one)
      let two = try await scene.load(["app/": "", "app/a": "2"])
      #expect(try await scene.roll(two) == RolloutResult(isChanged: true, isLive: true))
    }
  }

  @Test func `after random edits the files are those of a fresh container`() async throws {
    let seed = UInt64.random(in: 0...999_999)
    print("◇ sync: seed \(seed)")
    // CI's share; two hundred by hand: WATCHBUILD_SYNCS.
    let edits = Int(ProcessInfo.processInfo.environment["WATCHBUILD_SYNCS"] ?? "") ?? 25
    try await with("random") { scene in
      var random = SeededNumbers(seed: seed)
      var files: [String: String] = ["app/": "", "app/f0": "0"]
      var modes: [String: Int] = [:]
      _ = try await scene.load(files)
      try scene.container.make("--network", "none")
      _ = try await scene.roll(try await scene.load(files))
      var written = 0
      for edit in 1...edits {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let directory =
            ["app/", "app/d1/", "app/d1/d2/", "lib/"].randomElement(using: &random) ?? "app/"
          let name = directory + "f\(Int.random(in: 0..<4, using: &random))"
          switch Int.random(in: 0..<7, using: &random) {
          case 0...2: files[name] = "\(edit)"
          case 3: files[name] = "-> f\(edit)"
          case 4: files[name] = nil
          case 5: modes[name] = [0o600, 0o755, 0o644].randomElement(using: &random)
          default:
            files = files.filter { !$0.key.hasPrefix(directory) || directory == "app/" }
          }
          for parent in ["app/", "app/d1/", "app/d1/d2/", "lib/"]
          where files.keys.contains(where: { $0.hasPrefix(parent) && $0 != parent }) {
            files[parent] = ""
          }
        }
        let image = try await scene.load(files, modes: modes)
        if try await scene.roll(image).files != nil { written += 1 }
        #expect(
          try scene.tree(of: scene.container.name) == scene.fresh(),
          "seed \(seed), edit \(edit)")
      }
      print("◇ sync: \(written) of \(edits) edits written without a restart")
      #expect(written > edits / 2)
    }
  }
}
