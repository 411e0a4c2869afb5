package import Basics
import Images
package import SystemPackage

/// Where watchbuild keeps what it knows of one workspace: index, lock, images.
package enum StateDirectory {
  /// `$XDG_STATE_HOME/watchbuild/NAME-HASH`, in `~/.local/state` by default.
  ///
  /// Source: https://specifications.freedesktop.org/basedir-spec/latest/ (relative paths there are
  /// invalid and to be ignored)
  package static func path(
    for workspace: FilePath, environment: [String: String]
  ) throws(Problem) -> PrivateDirectory {
    let base: FilePath
    if let given = environment["XDG_STATE_HOME"].map({ FilePath($0) }), given.isAbsolute {
      base = given
    } else if let home = environment["HOME"].map({ FilePath($0) }), home.isAbsolute {
      base = home.appending(".local").appending("state")
    } else {
      throw Problem(
        "nowhere to keep state: neither XDG_STATE_HOME nor HOME is an absolute path",
        hint: "set HOME")
    }
    return PrivateDirectory(below: base, "watchbuild", name(of: workspace))
  }

  /// The directory's own name, which people recognise, and a digest, which makes it unique.
  static func name(of workspace: FilePath) -> String {
    let bytes = workspace.withPlatformString { pointer in
      var bytes: [UInt8] = []
      var next = pointer
      while next.pointee != 0 {
        bytes.append(UInt8(bitPattern: next.pointee))
        next += 1
      }
      return bytes
    }
    let digest = Digest(of: bytes).hexadecimal.prefix(12)
    return "\(workspace.lastComponent?.string ?? "root")-\(digest)"
  }

  /// Images in the built-in store lie deeper; nobody else can come to them.
  private static let levels = 3

  /// Makes the directory, for its owner alone, and sees to it that nothing in it is another's.
  package static func prepare(_ directory: PrivateDirectory) throws(Problem) {
    do {
      try directory.open().inspect(levels: levels)
      try Disk.checkWritable(directory.path)
    } catch let untrusted as UntrustedFile {
      throw problem(untrusted)
    } catch {
      throw Problem(
        "can't write to the state directory \(directory.path): \(error)",
        hint: "make it writable, or set XDG_STATE_HOME to a directory that is")
    }
  }

  /// Sees to it that nothing in the directory is another's, where it is there.
  package static func check(_ directory: PrivateDirectory) throws(Problem) {
    do {
      try directory.openExisting()?.inspect(levels: levels)
    } catch let untrusted as UntrustedFile {
      throw problem(untrusted)
    } catch {
      throw Problem("can't read the state directory \(directory.path): \(error)")
    }
  }

  /// Something in the state directory that another user may have put there.
  package static func problem(_ untrusted: UntrustedFile) -> Problem {
    Problem(
      "the state directory is not safe to use: \(untrusted)",
      hint: "remove that, or set XDG_STATE_HOME to a directory that only you can write to")
  }
}
