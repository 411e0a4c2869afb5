import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Runtimes

/// Another user who was there first.
@Suite struct SocketDirectoryTests {
  private static let other: uid_t = 4242

  private static var isRoot: Bool { Tool.isRequired || geteuid() == 0 }

  @Test func `a directory is made for us alone, under a name that nobody knows`() async throws {
    try await withScratchDirectory { parent in
      let directory = SocketDirectory(for: "podman", in: parent)
      #expect(SocketDirectory(for: "podman", in: parent) != directory)
      try directory.make()
      #expect(try Tool.run("stat", ["-c", "%a %u", directory.path.string]) == "700 \(geteuid())\n")
      // A service that is started again finds it as it was.
      try directory.make()
      directory.remove(directory.path.appending("podman.sock"))
      #expect(access(directory.path.string, F_OK) != 0)
    }
  }

  @Test(
    .enabled(if: isRoot, "makes files of another user's, which takes root"),
    arguments: [
      "mkdir -m 700 $1; chown 4242 $1", "mkdir -m 777 $1", "mkdir -m 700 $1.own; ln -s $1.own $1",
      ": >$1",
    ])
  func `one that somebody planted is not taken`(plant: String) async throws {
    try await withScratchDirectory { parent in
      let directory = SocketDirectory(for: "podman", in: parent)
      try Tool.run("sh", ["-ec", plant, "sh", directory.path.string])
      #expect(throws: SocketDirectory.Unsafe.self) { try directory.make() }
    }
  }

  @Test(
    .enabled(if: isRoot, "makes files of another user's, which takes root"),
    arguments: ["chmod 777 $1", "chown 4242 $1"])
  func `nothing is made where others may take it away`(spoil: String) async throws {
    try await withScratchDirectory { parent in
      try Tool.run("sh", ["-ec", spoil, "sh", parent.string])
      #expect(throws: SocketDirectory.Unsafe.self) {
        try SocketDirectory(for: "ssh", in: parent).make()
      }
      // As in /tmp.
      try Tool.run("sh", ["-ec", "chown 0 $1; chmod 1777 $1", "sh", parent.string])
      let directory = SocketDirectory(for: "ssh", in: parent)
      try directory.make()
      directory.remove(directory.path.appending("docker.sock"))
    }
  }

  @Test(.enabled(if: isRoot, "makes files of another user's, which takes root"))
  func `the user's own directory is taken if it is his`() async throws {
    try await withScratchDirectory { directory in
      let fallback = SocketDirectory.parent(environment: [:])
      #expect(["/run/user/\(geteuid())", "/tmp"].contains(fallback.string))
      let environment = ["XDG_RUNTIME_DIR": directory.string]
      #expect(SocketDirectory.parent(environment: environment) == directory)
      #expect(SocketDirectory.parent(environment: ["XDG_RUNTIME_DIR": "relative"]) == fallback)
      try Tool.run("chown", ["\(Self.other)", directory.string])
      #expect(SocketDirectory.parent(environment: environment) == fallback)
    }
  }
}
