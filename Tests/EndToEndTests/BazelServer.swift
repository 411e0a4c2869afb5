import TestSupport
import Testing

/// One workspace and its Bazel server for all tests of a suite, which then must be serialized.
struct BazelServer: SuiteTrait, TestScoping {
  @TaskLocal static var workspace: BazelWorkspace?

  let files: [String: String]

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let workspace = try BazelWorkspace(files)
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await Self.$workspace.withValue(workspace) { try await function() })
    } catch {
      result = .failure(error)
    }
    await workspace.end()
    try result.get()
  }
}

extension Trait where Self == ConditionTrait {
  /// Real Bazel, or a skipped test that says why; never skipped in CI.
  static var bazel: Self {
    .enabled(
      if: !TestBazel.all.isEmpty || Tool.isRequired,
      "no bazel in PATH; on Debian: apt-get install bazel-bootstrap")
  }
}

extension SuiteTrait where Self == BazelServer {
  static func bazelServer(_ files: [String: String]) -> Self { BazelServer(files: files) }
}
