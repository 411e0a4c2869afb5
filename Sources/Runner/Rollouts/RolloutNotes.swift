package import Basics
import Images

/// Notes which image was rolled out last where nobody can be asked what runs: by a signal or a command.
///
/// Kept beside the workspace's state, so that a `dev` that is started again rolls out only what is newer.
package struct RolloutNotes: Sendable {
  private static let name = "rollouts.json"
  /// Far more than images of any workspace take. In bytes.
  private static let largestSize = 4 << 20

  private let directory: PrivateDirectory

  package init(in directory: PrivateDirectory) { self.directory = directory }

  /// Tells whether this very image was rolled out there last; `false` also where that can't be read.
  func isCurrent(_ image: RolledImage, at target: String) async -> Bool {
    // A file that is damaged or can't be read costs one rollout more.
    let notes = try? await DirectoryLock.locked(directory.open()) { try Self.read(in: $0) }
    return notes?[Self.key(image, target)] == image.configDigest.description
  }

  /// The image runs there now.
  func note(_ image: RolledImage, at target: String) async throws {
    try await DirectoryLock.locked(directory.open()) { directory in
      var notes = try Self.read(in: directory)
      notes[Self.key(image, target)] = image.configDigest.description
      try directory.replace(Self.name, with: JSON.encode(notes))
    }
  }

  /// The image whose files were written into a container; `nil`: none were. The digest of nothing: it is not known.
  func synced(_ container: String) async -> Digest? {
    let notes = try? await DirectoryLock.locked(directory.open()) { try Self.read(in: $0) }
    return notes?[Self.key(synced: container)].flatMap { Digest($0) }
  }

  /// - Parameter image: `nil`: the container is gone, or made anew.
  func noteSynced(_ image: Digest?, in container: String) async throws {
    try await DirectoryLock.locked(directory.open()) { directory in
      var notes = try Self.read(in: directory)
      guard notes[Self.key(synced: container)] != image?.description else { return }
      notes[Self.key(synced: container)] = image?.description
      try directory.replace(Self.name, with: JSON.encode(notes))
    }
  }

  private static func key(synced container: String) -> String { "synced container \(container)" }

  private static func key(_ image: RolledImage, _ target: String) -> String {
    "\(image.name) \(target)"
  }

  private static func read(in directory: OpenDirectory) throws -> [String: String] {
    guard let bytes = try directory.read(name, limit: largestSize) else { return [:] }
    do throws(JSON.Malformed) {
      return try JSON.decode([String: String].self, from: bytes)
    } catch {
      return [:]
    }
  }
}
