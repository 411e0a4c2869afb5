import SystemPackage

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

  /// A file that Bazel and we were to share can't be made: Bazel's own code for that is 36.
  init(cannotWrite path: FilePath, _ error: any Error) {
    self.init(
      exitCode: 36,
      problem: "can't write \(path): \(error); check that the directory exists, "
        + "may be written and has free space")
  }

  /// Another command holds Bazel's lock and we were told not to wait for it.
  package var isLockHeld: Bool { exitCode == 9 }

  /// Bazel, or what it stands on, failed, and not what it was asked: another try may do.
  package var isTransient: Bool { isLockHeld || BazelExit.isTrouble(exitCode) }

  package var description: String { problem }
}
