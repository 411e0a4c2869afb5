import Bazel
import Glibc
import Graph
import SystemPackage

/// What the builds of one group have made of its images, so that a repeated build tells only what is other.
struct FinishedImages {
  private enum Outcome: Hashable {
    case failed(String)
    case built([FilePath: FileIdentity])
  }

  private struct FileIdentity: Hashable {
    var inode: UInt64
    var size: Int64
    var modified: Int64
  }

  private var outcomes: [String: Outcome] = [:]

  /// Takes in an outcome.
  ///
  /// - Returns: Whether the image had another outcome in the build before, or none.
  mutating func isNew(_ made: ImageOutcome, of image: ImageTarget) -> Bool {
    let outcome: Outcome =
      switch made {
      case .failed(let message, _): .failed(message)
      case .incompatible(let message): .failed(message)
      case .skipped(let reason): .failed(reason)
      case .built: .built(Self.identities(of: made.files))
      }
    defer { outcomes[image.name] = outcome }
    return outcomes[image.name] != outcome
  }

  /// The image was not there to be read: what the next build tells of it is news.
  mutating func forget(_ image: ImageTarget) { outcomes[image.name] = nil }

  private static func identities(of paths: some Sequence<FilePath>) -> [FilePath: FileIdentity] {
    var identities: [FilePath: FileIdentity] = [:]
    for path in paths {
      var status = stat()
      guard path.withPlatformString({ stat($0, &status) }) == 0 else { continue }
      identities[path] = FileIdentity(
        inode: UInt64(status.st_ino), size: Int64(status.st_size),
        modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
    }
    return identities
  }
}
