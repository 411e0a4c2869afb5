import Images
import Processes

extension Ctr {
  /// A list line begins with the name, and has the digest of what it stands for.
  private static let digestsScript =
    preamble + #"""
      for value; do
        set -- "$@" "name==$value"
        shift
      done
      c images ls "$@"
      """#

  /// Finds the names that stand for nothing, or for another image.
  ///
  /// - Parameter held: With the digests of their manifests.
  /// - Throws: `RuntimeError`; `CommandError`; `CancellationError`.
  func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    let found = try await digests(of: held.keys.map(\.normalized))
    var losses: [ImageReference: ImageLoss] = [:]
    for (reference, digest) in held {
      let there = found[reference.normalized]
      if there != digest { losses[reference] = there == nil ? .removed : .replaced }
    }
    return losses
  }

  private func digests(of names: [String]) async throws -> [String: Digest] {
    if let api { return try await asking { try await api.digests(of: names) } }
    let (exit, output, errors) = try await run(Self.digestsScript, names)
    guard exit == .exited(0) else { throw unreachable(exit, errors) }
    var digests: [String: Digest] = [:]
    for line in output.split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      guard let name = fields.first else { continue }
      digests[name] = fields.lazy.compactMap { Digest($0) }.first
    }
    return digests
  }
}
