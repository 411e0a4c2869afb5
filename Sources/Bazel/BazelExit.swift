package import Processes

/// The meaning of Bazel's exit codes for a user.
/// Source: https://bazel.build/run/scripts#exit-codes, src/main/java/…/util/ExitCode.java
package enum BazelExit {
  /// One line on why a command did not do its work; `nil` where it did, or where what it was
  /// asked to build failed.
  ///
  /// - `output`: what it wrote, for its complaints and who held the lock.
  /// - `isBuildComplete`: whether the event file was written to its end.
  package static func problem(
    _ exit: CommandExit, _ output: BazelOutput, isBuildComplete: Bool
  ) -> String? {
    let said = output.problem ?? "no reason given"
    if exit != .exited(0), output.isDiskFull {
      return "the disk is full: \(said); free some space, and the build is tried again"
    }
    switch exit {
    case .signalled(let signal):
      return "Bazel's client was ended by signal \(signal); the build is tried again"
    case .exited(0), .exited(1), .exited(3), .exited(4):
      return nil
    case .exited(2):
      return output.problem.map {
        "\($0); check the options after '--', in watchbuild.yaml and in .bazelrc"
      }
        ?? "Bazel refused its command line; check the options after '--', in watchbuild.yaml and "
        + "in .bazelrc"
    case .exited(8):
      return "Bazel was interrupted by another hand; the build is tried again"
    case .exited(9):
      let holder = output.lock.holder.map { holder in
        " (\(["pid \(holder.pid)", holder.command].compactMap(\.self).joined(separator: ": ")))"
      }
      return "another command\(holder ?? "") holds Bazel's lock; wait for it to end, "
        + "or leave out --no-wait-for-lock"
    case .exited(33):
      return "Bazel's server ran out of memory; "
        + "give it more in .bazelrc: startup --host_jvm_args=-Xmx4g"
    case .exited(36):
      return "Bazel can't use this machine's files: \(said); check free space and permissions"
    case .exited(37):
      return "Bazel's server crashed or was killed; the next command starts a new one"
    case .exited(38), .exited(45):
      // The event file, or a remote event service, could not be written; the build went on.
      return isBuildComplete
        ? nil
        : "Bazel could not write its build events: \(said); check free space, and --bes_backend "
          + "where .bazelrc has it"
    case .exited(39):
      return "the remote cache no longer has what the build needs: \(said); if it comes back, "
        + "run 'bazel clean', or keep outputs longer in the cache"
    case .exited(32), .exited(34):
      return "Bazel's remote service failed: \(said); check the network, the credentials and the "
        + "--remote options in .bazelrc"
    case .exited(48):
      return "Bazel can't get an external dependency: \(said); check the network, MODULE.bazel and "
        + "WORKSPACE"
    case .exited(let code):
      return "Bazel ended with exit code \(code): \(said); run the command by hand to see more"
    }
  }

  /// The second time in a row: Bazel up to 6.0 never gets over it.
  package static func repeated(_ trouble: RemoteTrouble) -> String {
    trouble.text + ", again: run 'bazel clean', so that Bazel makes it anew"
  }

  /// Tells a service's failure in one line.
  static func problem(_ trouble: RemoteTrouble) -> String {
    switch trouble.kind {
    case .unreachable: trouble.text
    case .refused: trouble.text + "; log in again, or check --credential_helper in .bazelrc"
    case .evicted:
      trouble.text + "; if it comes back, run 'bazel clean', or keep outputs longer in the cache"
    }
  }

  /// Tells whether an exit code says that Bazel, or what it stands on, failed, and not what it was to
  /// build: no save will mend that, and another try may.
  static func isTrouble(_ code: Int32) -> Bool {
    [8, 32, 33, 34, 36, 37, 38, 39, 45].contains(code) || code > 128
  }
}

extension CommandExit {
  /// As a shell tells it: 128 + N for signal N.
  package var code: Int32 {
    switch self {
    case .exited(let code): code
    case .signalled(let signal): 128 + signal
    }
  }
}
