/// A Bazel command that could not do its work at all.
package struct BazelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// 128 + N when a signal ended the client.
  package var exitCode: Int32
  /// One line: what happened and what to do.
  package var problem: String
  package var diagnostics: [Diagnostic]

  package init(exitCode: Int32, problem: String, diagnostics: [Diagnostic] = []) {
    self.exitCode = exitCode
    self.problem = problem
    self.diagnostics = diagnostics
  }

  /// Another command holds Bazel's lock and we were told not to wait for it.
  package var isLockHeld: Bool { exitCode == 9 }

  package var description: String { problem }
}
