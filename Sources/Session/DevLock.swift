package import Basics
import Glibc
import Images
import Settings
import Synchronization
package import SystemPackage

/// Makes sure that one `dev` runs for a workspace.
///
/// A lock on a file of the state directory, which the kernel gives up when the process ends,
/// however it ends. The file holds the process's ID for those who find it locked. Beside it stands
/// a claim on a name, which finds the first `dev` also where the file has been removed; alone it
/// would not do, since containers that share a state directory may have names of their own.
package final class DevLock: Sendable {
  private static let name = "dev.lock"

  private let directory: PrivateDirectory
  private let workspace: FilePath
  private let state: Mutex<State>

  private struct State {
    var file: FileDescriptor?
    var claim: NameClaim?
  }

  private init(
    in directory: PrivateDirectory, workspace: FilePath, file: FileDescriptor, claim: NameClaim?
  ) {
    self.directory = directory
    self.workspace = workspace
    state = Mutex(State(file: file, claim: claim))
  }

  deinit { release() }

  /// Takes the lock, without waiting.
  ///
  /// - Parameters:
  ///   - directory: The state directory; made if it does not exist.
  ///   - workspace: For the message.
  /// - Returns: The lock, held until `release()`.
  /// - Throws: `Problem` with `.otherDev` when another process holds it.
  package static func acquire(
    in directory: PrivateDirectory, workspace: FilePath
  ) throws(Problem) -> DevLock {
    try StateDirectory.prepare(directory)
    let claim: NameClaim?
    let digest = Digest(of: directory.path.string.utf8).hexadecimal
    switch NameClaim.take("watchbuild-dev-\(geteuid())-\(digest.prefix(32))") {
    case .taken(let taken): claim = taken
    case .held(let process): throw other(process, workspace: workspace)
    case .unavailable: claim = nil
    }
    return DevLock(
      in: directory, workspace: workspace, file: try lockedFile(directory, workspace: workspace),
      claim: claim)
  }

  /// Makes the file anew where it, or the whole directory, has been removed.
  ///
  /// - Throws: `Problem` when another `dev` has come in between, or the directory can't be made.
  package func renew() throws(Problem) {
    // Where it can't be looked at, making it anew tells why.
    let isThere = try? state.withLock { state in
      try Self.isCurrent(state.file, in: directory.openExisting())
    }
    guard isThere != true else { return }
    let file = try Self.lockedFile(directory, workspace: workspace)
    state.withLock { state in
      // Closing a descriptor that was only read and locked can't lose anything.
      try? state.file?.close()
      state.file = file
    }
  }

  /// Gives the lock up, and removes its file. Does nothing the second time.
  package func release() {
    state.withLock { state in
      guard let held = state.file else { return }
      // While it is still locked, so that nobody else's file is removed. One that can't be looked
      // at can't be removed either.
      if let open = try? directory.openExisting(), (try? Self.isCurrent(held, in: open)) == true {
        open.remove(Self.name)
      }
      // As above.
      try? held.close()
      state = State()
    }
  }

  // MARK: The file

  /// Tells whether a file is still the one that has the name.
  private static func isCurrent(
    _ file: FileDescriptor?, in directory: OpenDirectory?
  ) throws -> Bool {
    guard let held = try file?.stat(), let current = try directory?.status(of: name) else {
      return false
    }
    return held.inode.rawValue == current.st_ino && held.deviceID.rawValue == current.st_dev
  }

  private static func lockedFile(
    _ directory: PrivateDirectory, workspace: FilePath
  ) throws(Problem) -> FileDescriptor {
    do {
      while true {
        if let file = try attempt(in: directory.open(), workspace: workspace) { return file }
      }
    } catch let problem as Problem {
      throw problem
    } catch let untrusted as UntrustedFile {
      throw StateDirectory.problem(untrusted)
    } catch {
      throw Problem(
        "can't lock \(directory.path.appending(name)): \(error)",
        hint: "set XDG_STATE_HOME to a directory on a local disk that you can write to")
    }
  }

  /// - Returns: `nil` when the file was replaced while we locked it, and another try is due.
  private static func attempt(
    in directory: OpenDirectory, workspace: FilePath
  ) throws -> FileDescriptor? {
    // Closed in children: Bazel's server would hold it for hours.
    let file = try directory.open(name, .readWrite, options: .create)
    do {
      guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
        let error = Errno(rawValue: errno)
        guard error == .wouldBlock else { throw error }
        throw try other(holding: file, in: directory, workspace: workspace)
      }
      // Whoever held it may have removed the file between our open and our lock.
      guard try isCurrent(file, in: directory) else {
        try file.close()
        return nil
      }
      try file.resize(to: 0)
      _ = try file.writeAll(toAbsoluteOffset: 0, "\(getpid())\n".utf8)
      return file
    } catch {
      // The error at hand says more than one of closing would.
      try? file.close()
      throw error
    }
  }

  // MARK: The other

  private static func other(
    holding file: FileDescriptor, in directory: OpenDirectory, workspace: FilePath
  ) throws -> Problem {
    let text = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
      // An empty file is one whose holder has not written its ID yet.
      let count = (try? file.read(fromAbsoluteOffset: 0, into: buffer)) ?? 0
      return String(decoding: buffer.prefix(count).prefix { $0 != 10 }, as: UTF8.self)
    }
    let written = pid_t(text)
    if let holder = FileLocks.current.holder(of: try file.stat()), holder != written {
      return Problem(
        "another process (pid \(holder)) has locked \(directory.path.appending(name))",
        hint: "end it; 'ps -p \(holder)' tells what it is", status: .otherDev)
    }
    return other(written, workspace: workspace)
  }

  package static func other(_ process: Int32?, workspace: FilePath) -> Problem {
    let holder = process.map { " (pid \($0))" } ?? ""
    let stop = process.map { "kill -INT \($0)" } ?? "Ctrl-C in its terminal"
    return Problem(
      "watchbuild dev already runs for \(workspace)\(holder)",
      hint: "use that one, or end it with \(stop)", status: .otherDev)
  }
}
