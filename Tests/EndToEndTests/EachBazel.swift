import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Runs a suite with one Bazel after the other: `TestBazel.current` tells its tests which.
///
/// It stands before the traits that make a workspace, such as `.storefront`: each Bazel gets its own.
struct EachBazel: SuiteTrait, TestScoping {
  let bazels: [TestBazel]

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let failed = Mutex<[String]>([])
    for bazel in bazels {
      // Among the runner's own lines, which go there unbuffered.
      try FileDescriptor.standardError.writeAll("◇ Suite \(test.name) runs with \(bazel).\n".utf8)
      let naming: IssueHandlingTrait = .compactMapIssues { issue in
        failed.withLock { if $0.last != bazel.description { $0.append(bazel.description) } }
        var issue = issue
        issue.comments.append("with \(bazel)")
        return issue
      }
      try await naming.provideScope(for: test, testCase: testCase) {
        do {
          try await TestBazel.$current.withValue(bazel) { try await function() }
        } catch {
          // What one can't make must not keep the next from running.
          Issue.record(error)
        }
      }
    }
    // A test that runs again hides from the runner's closing line that it failed before; its suite does not run again.
    let names = failed.withLock { $0 }
    if !names.isEmpty { Issue.record("failed with \(names.joined(separator: "; with "))") }
  }
}

extension SuiteTrait where Self == EachBazel {
  /// The installed Bazel, and the newer one where there is one.
  static var eachBazel: Self { EachBazel(bazels: TestBazel.all) }

  /// These, and the newer one also with `WORKSPACE` files.
  static var eachBazelInEveryWay: Self { EachBazel(bazels: TestBazel.inEveryWay) }
}
