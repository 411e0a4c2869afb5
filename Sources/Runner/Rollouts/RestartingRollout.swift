import Runtimes

/// A rollout that replaces containers of an engine.
protocol RestartingRollout: Rollout {
  /// The containers that it would replace, by ID.
  ///
  /// - Returns: `nil` where there is no engine, or none has the container.
  func running() async throws -> (engine: EngineClient, containers: [String])?

  /// - Parameter isForced: They are replaced also where they run the image by its ID: other files were written into
  ///   them.
  func roll(_ image: RolledImage, isForced: Bool) async throws -> RolloutResult
}

extension RestartingRollout {
  func roll(_ image: RolledImage) async throws -> RolloutResult {
    try await roll(image, isForced: false)
  }
}
