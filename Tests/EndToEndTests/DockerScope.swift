import TestSupport
import Testing

/// A dockerd for one suite alone, whose image names then are nobody else's.
struct DockerScope: SuiteTrait, TestScoping {
  @TaskLocal static var daemon: DockerDaemon?

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let daemon = try await DockerDaemon()
    let result: Result<Void, any Error>
    do {
      result = .success(try await Self.$daemon.withValue(daemon) { try await function() })
    } catch {
      result = .failure(error)
    }
    try await daemon.stop()
    try result.get()
  }
}

extension SuiteTrait where Self == DockerScope {
  static var ownDocker: Self { DockerScope() }
}

extension Trait where Self == ConditionTrait {
  /// Real dockerd, or a skipped test that says why; never skipped in CI.
  static var docker: Self {
    .enabled(if: DockerDaemon.isExpected, "\(DockerDaemon.requirement)")
  }
}
