package import Images

/// Has what runs an image run the new one.
package protocol Rollout: Sendable {
  /// As the configuration calls it, such as `container`.
  var kind: String { get }
  /// The kind, a space, and what it reaches, such as `container shop-cart-1`: differs between any two rollouts of a
  /// run.
  var target: String { get }
  /// Rollouts of one lane go one after the other.
  var lane: String { get }

  /// Lets the image run where an older one does, and looks at what comes of it.
  ///
  /// Nothing is done where what runs is this image already. Cancelled, or after a failure, what ran before runs
  /// again as far as that can be had.
  ///
  /// - Throws: `RolloutError`; `RuntimeError` of the engine that it goes through; `CancellationError`.
  func roll(_ image: RolledImage) async throws -> RolloutResult

  /// The same, for rollouts that go by the image's files.
  ///
  /// - Parameter archive: The image as it was built.
  func roll(_ image: RolledImage, from archive: ImageArchive) async throws -> RolloutResult
}

extension Rollout {
  package func roll(
    _ image: RolledImage, from archive: ImageArchive
  ) async throws -> RolloutResult {
    try await roll(image)
  }
}

/// An image that has been loaded, and is to run.
package struct RolledImage: Hashable, Sendable {
  /// As the configuration calls it.
  package var name: String
  /// All its names; at least one.
  package var references: [ImageReference]
  package var configDigest: Digest
  /// Where the archive has a manifest.
  package var manifestDigest: Digest?
  /// Under which ID each runtime holds it.
  package var loaded: [String: Digest]

  /// The name that people know it by.
  package var reference: ImageReference { references[0] }

  /// As its runtime shows it.
  package var id: Digest {
    loaded.sorted { $0.key < $1.key }.first?.value ?? configDigest
  }
}

/// The result of a rollout.
package struct RolloutResult: Hashable, Sendable {
  /// `false`: what runs was this image already.
  package var isChanged: Bool
  /// It was seen to run: as healthy, or for two seconds.
  package var isLive: Bool
  /// So many files were written into what runs, or removed there, instead of a restart; `nil`: it was restarted.
  package var files: Int?

  package init(isChanged: Bool, isLive: Bool, files: Int? = nil) {
    self.isChanged = isChanged
    self.isLive = isLive
    self.files = files
  }
}

/// Why an image does not run where it should.
package struct RolloutError: Error, Hashable, Sendable, CustomStringConvertible {
  package var message: String
  /// The user's remedy.
  package var hint: String?
  /// The last lines of what the image said, where it ran.
  package var log: [String] = []
  /// Only another image will mend it, so that it is not tried again by itself.
  package var isOfImage = false

  package init(
    _ message: String, hint: String? = nil, log: [String] = [], isOfImage: Bool = false
  ) {
    self.message = message
    self.hint = hint
    self.log = log
    self.isOfImage = isOfImage
  }

  /// The first line says what happened, those after it what the image said.
  package var description: String {
    ([hint.map { "\(message); \($0)" } ?? message] + log).joined(separator: "\n")
  }
}
