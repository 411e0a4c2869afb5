import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

/// The state directory under hostile hands: planted by another user, or removed while `dev` runs.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .bazelServer(BadImages.files))
struct StateDirectoryTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(BazelServer.workspace) }

  // MARK: Another user

  /// A user that nobody is, on any machine.
  private static let stranger = "4242"

  /// What a stranger puts under a shared `XDG_STATE_HOME`, and what is said of it.
  ///
  /// `$STATE` is the state directory's path, `$VICTIM` a directory of files that are not to be touched.
  struct Plant: CustomTestStringConvertible {
    let testDescription: String
    /// Of the stranger's.
    var script = ""
    /// Of our own, afterwards.
    var ours = ""
    let reason: String
  }

  static let plants = [
    Plant(
      testDescription: "the directory above", script: #"mkdir -m 777 "${STATE%/*}""#,
      reason: "belongs to another user (uid 4242, we are 0)"),
    Plant(
      testDescription: "a link to a directory of the user's",
      script: #"ln -s "$VICTIM" "${STATE%/*}""#, reason: "is a symbolic link"),
    Plant(
      testDescription: "everything, with links in it",
      script: #"""
        mkdir -p "$STATE/bazel"
        ln -s "$VICTIM" "$STATE/profile"
        for file in loads.jsonl dev.lock; do ln -s "$VICTIM/precious" "$STATE/$file"; done
        chmod -R 777 "${STATE%/*}"
        """#, reason: "belongs to another user (uid 4242, we are 0)"),
    Plant(
      testDescription: "a directory of ours that anybody may write to",
      ours: #"mkdir -p "$STATE" && chmod 777 "$STATE""#,
      reason: "may be written by others (mode 777)"),
    Plant(
      testDescription: "a link in a directory of ours",
      ours: #"mkdir -p -m 700 "${STATE%/*}" "$STATE" && ln -s "$VICTIM" "$STATE/profile""#,
      reason: "profile is a symbolic link"),
    Plant(
      testDescription: "a stranger's file in a directory of ours",
      ours: #"""
        mkdir -p -m 700 "${STATE%/*}" "$STATE" && echo '{}' >"$STATE/loads.jsonl" &&
        chown 4242 "$STATE/loads.jsonl"
        """#, reason: "loads.jsonl belongs to another user"),
  ]

  private static let commands = [
    ["dev"], ["build"], ["affected", "tars/BUILD"], ["profile"], ["prune"],
  ]

  @Test(.enabled(if: geteuid() == 0, "needs root"), arguments: plants)
  func `what another user planted is refused by every command, and followed by none`(
    plant: Plant
  ) async throws {
    let shared = try TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(shared) }
    try Tool.run("chmod", ["1777", shared.string])
    let name = try Tool.run(
      "sh", ["-c", #"printf %s "$1" | sha256sum | cut -c1-12"#, "sh", workspace.root.string])
    let state = "\(shared)/home/watchbuild/workspace-\(name.trimmingCharacters(in: .newlines))"
    let victim = "\(workspace.home)/victim"
    try Tool.run(
      "sh",
      [
        "-c",
        """
        mkdir -p -m 777 '\(shared)/home' && mkdir -p '\(victim)' && cd '\(victim)' &&
        echo precious >precious && mkdir -p run-1 && echo precious >run-1/cycle-1.json
        """,
      ])
    let prefix = "STATE='\(state)' VICTIM='\(victim)';"
    let id = Self.stranger
    try Tool.run(
      "setpriv",
      ["--reuid", id, "--regid", id, "--clear-groups", "sh", "-ec", prefix + plant.script])
    try Tool.run("sh", ["-ec", prefix + plant.ours])

    for command in Self.commands {
      let run = try await workspace.run(
        command, environment: ["XDG_STATE_HOME": "\(shared)/home"])
      #expect(run.exit == 2, "\(command)")
      #expect(run.output == "")
      #expect(run.errorLines.count == 1)
      #expect(
        run.errors.hasPrefix("watchbuild: error: the state directory is not safe to use: \(shared)")
      )
      #expect(run.errors.contains(plant.reason), "\(command): \(run.errors)")
    }
    let doctor = try await workspace.run(
      ["doctor"], environment: ["XDG_STATE_HOME": "\(shared)/home"])
    #expect(doctor.output.contains(plant.reason))
    let left = try Tool.run("sh", ["-c", "cd '\(victim)' && find . -type f | sort | xargs cat"])
    #expect(left == "precious\nprecious\n")
  }

  // MARK: Removal

  private func save(_ text: String) throws { try workspace.write("tars/salt.txt", text) }

  @Test func `a state directory that is removed is made again, and one dev stays one`()
    async throws
  {
    let dev = try workspace.start([
      "dev", "--output", "json", "--load", "oci:\(workspace.home)/state-images", "//tars:good",
    ])
    defer { workspace.remove("tars/salt.txt") }
    try await dev.wait(for: "ready") { $0.type == "ready" }
    try Tool.run("sh", ["-c", "rm -r '\(workspace.state)'/watchbuild"])

    for _ in 1...2 {
      let second = try await workspace.run(["dev"])
      #expect(second.exit == 5)
      #expect(second.errors.contains("already runs for \(workspace.root) (pid \(dev.id))"))
    }
    for text in ["one", "two"] {
      let start = dev.last
      try save(text)
      let cycle = try await dev.cycle(after: start)
      #expect(cycle.ok == 1)
    }
    #expect(!dev.events.contains { $0.type == "degraded" })
    let lock = try Tool.run("sh", ["-c", "cat '\(workspace.state)'/watchbuild/*/dev.lock"])
    #expect(lock == "\(dev.id)\n")
    let index = try Tool.run("sh", ["-c", "ls '\(workspace.state)'/watchbuild/*"])
    #expect(index.contains("loads.jsonl"))

    try Tool.run("sh", ["-c", "rm '\(workspace.state)'/watchbuild/*/dev.lock"])
    let third = try await workspace.run(["dev"])
    #expect(third.exit == 5)
    #expect(try await dev.interrupt() == 130)
    #expect(try workspace.leftovers() == "")
  }
}
