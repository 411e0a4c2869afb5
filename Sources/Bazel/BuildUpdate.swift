package import Graph
package import SystemPackage

/// What a running build says, as it says it.
package enum BuildUpdate: Hashable, Sendable {
  /// Another command holds Bazel's lock; said when noticed, again each second, and at its end.
  case lock(holder: LockHolder?, waited: Duration)
  /// An option differs from the last command's, so Bazel analyses everything anew.
  /// - `cause`: the command that had other options, where it can be told.
  case cacheDiscarded(option: String, message: String, cause: String? = nil)
  /// A requested target is done. Each requested target is reported at most once.
  case target(Label, TargetOutcome)
  case diagnostic(Diagnostic)
  /// Where Bazel's time went; at most once, after all else. The file is the receiver's.
  case profile(BazelProfile)
  /// How many actions ran where; at most once.
  case actions(ActionCounts)
  /// Bazel's version, as it tells it.
  case version(String)
  /// Where Bazel runs the actions of the workspace: `…/execroot/NAME`.
  case executionRoot(FilePath)
  /// Nothing has failed, but the user should know: one line that says what to do.
  case notice(String)
  /// Bazel runs the whole command once more by itself; what it has complained of is void.
  case retried
  /// What Bazel is doing, such as `[3 / 10] Compiling a.c`.
  case progress(String)
  /// A line of Bazel's own output that is none of the above, without colours.
  case message(String)
  /// What an action printed, before what was found in it; of one that did not fail, its warnings.
  case output(ActionOutput)
  /// Lines that Bazel printed, whatever they mean, but for progress.
  case printed(String)
}

package struct LockHolder: Hashable, Sendable {
  package var pid: Int
  /// The holder's command line, where readable.
  package var command: String?

  package init(pid: Int, command: String?) {
    self.pid = pid
    self.command = command
  }
}

package enum TargetOutcome: Hashable, Sendable {
  /// Output files by output group; absolute paths.
  case built(outputs: [String: [FilePath]])
  /// - `causes`: the targets whose actions failed, where Bazel names them.
  case failed(message: String, causes: [Label])
  /// Its `target_compatible_with` does not allow the platform.
  /// - `message`: Bazel's sentence.
  case incompatible(message: String)
  /// Bazel never got to it: interrupted, or stopped by another failure.
  case skipped(reason: String)
}

/// How one `bazel build` ended.
package struct BuildResult: Hashable, Sendable {
  /// Bazel's exit code; 128 + N when a signal ended the client.
  package var exitCode: Int32
  package var lockWaited: Duration
  /// The process of Bazel's server, where its events told it.
  package var server: Int32?
  /// Why nothing was built, in one line, where Bazel did not get as far as building.
  package var problem: String?

  /// Bazel, or what it stands on, failed: worth another try without any change.
  package var isTroubled = false

  /// Also what failed in the build itself is worth another try: it had no chance.
  package var excusesFailures = false

  /// A remote cache or executor failed, not Bazel and no image.
  package var remote: RemoteTrouble?

  /// Outputs may lie in a cache and not here: what the options say of that; `nil`: they are here.
  package var elsewhere: Elsewhere?

  package struct Elsewhere: Hashable, Sendable {
    /// Which outputs are brought here, and where that is said, where it is not Bazel's default.
    package var option: String?
  }

  package init(exitCode: Int32, lockWaited: Duration = .zero, problem: String? = nil) {
    self.exitCode = exitCode
    self.lockWaited = lockWaited
    self.problem = problem
  }
}

extension BuildUpdate {
  /// Leaves out the wait for the lock where there is none: Bazel then gives up at once.
  static func listener(
    waitsForLock: Bool, _ update: @escaping @Sendable (BuildUpdate) -> Void
  ) -> @Sendable (BuildUpdate) -> Void {
    guard !waitsForLock else { return update }
    return { told in
      if case .lock = told { return }
      update(told)
    }
  }
}
