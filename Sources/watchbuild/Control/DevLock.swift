import Glibc
import Synchronization
import SystemPackage

/// Makes sure that one `dev` runs for a workspace.
///
/// A lock on a file of the state directory, which the kernel gives up when the process ends,
/// however it ends. The file holds the process's ID for those who find it locked.
final class DevLock: Sendable {
  private let path: FilePath
  private let file: Mutex<FileDescriptor?>

  private init(path: FilePath, file: FileDescriptor) {
    self.path = path
    self.file = Mutex(file)
  }

  deinit { release() }

  /// Takes the lock, without waiting.
  ///
  /// - Parameters:
  ///   - stateDirectory: Made if it does not exist.
  ///   - workspace: For the message.
  /// - Returns: The lock, held until `release()`.
  /// - Throws: `Problem` with `.otherDev` when another process holds it.
  static func acquire(
    stateDirectory: FilePath, workspace: FilePath
  ) throws(Problem) -> DevLock {
    try StateDirectory.prepare(stateDirectory)
    let path = stateDirectory.appending("dev.lock")
    do {
      while true {
        if let file = try attempt(path, workspace: workspace) {
          return DevLock(path: path, file: file)
        }
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(
        "can't lock \(path): \(error)",
        hint: "set XDG_STATE_HOME to a directory on a local disk that you can write to")
    }
  }

  /// Gives the lock up, and removes its file. Does nothing the second time.
  func release() {
    file.withLock { file in
      guard let held = file else { return }
      // While it is still locked, so that nobody else's file is removed.
      _ = path.withPlatformString { unlink($0) }
      // Closing a descriptor that was only read and locked can't lose anything.
      try? held.close()
      file = nil
    }
  }

  /// - Returns: `nil` when the file was replaced while we locked it, and another try is due.
  private static func attempt(_ path: FilePath, workspace: FilePath) throws -> FileDescriptor? {
    // Bazel's server must not inherit it: it would hold the lock for hours.
    let file = try FileDescriptor.open(
      path, .readWrite, options: [.create, .closeOnExec, .noFollow],
      permissions: [.ownerReadWrite])
    do {
      guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
        let error = Errno(rawValue: errno)
        guard error == .wouldBlock else { throw error }
        throw other(holding: file, workspace: workspace)
      }
      // Whoever held it may have removed the file between our open and our lock.
      let locked = try file.stat()
      guard let current = try? path.stat(followTargetSymlink: false),
        current.inode == locked.inode, current.deviceID == locked.deviceID
      else {
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

  private static func other(holding file: FileDescriptor, workspace: FilePath) -> Problem {
    let text = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
      // An empty file is one whose holder has not written its ID yet.
      let count = (try? file.read(fromAbsoluteOffset: 0, into: buffer)) ?? 0
      return String(decoding: buffer.prefix(count).prefix { $0 != 10 }, as: UTF8.self)
    }
    let holder = Int32(text).map { " (pid \($0))" } ?? ""
    let stop = Int32(text).map { "kill -INT \($0)" } ?? "Ctrl-C in its terminal"
    return Problem(
      "watchbuild dev already runs for \(workspace)\(holder)",
      hint: "use that one, or end it with \(stop)", status: .otherDev)
  }
}
