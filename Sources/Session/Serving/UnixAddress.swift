import Glibc

/// A Unix socket's address, as the kernel takes it.
///
/// A name is reached through its open directory, so that the length of the directory's path does not matter: the
/// kernel takes 107 bytes, which a deep XDG_RUNTIME_DIR or state directory exceeds. It also means that nobody can
/// put another directory in its place in between.
enum UnixAddress {
  /// - Parameters:
  ///   - name: In the directory; at most 64 bytes.
  ///   - directory: A descriptor.
  ///   - body: Is given the address and its length.
  static func with<Value>(
    _ name: String, in directory: Int32, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array("/proc/self/fd/\(directory)/\(name)".utf8)
      .prefix(MemoryLayout.size(ofValue: address.sun_path) - 1)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}

/// Who is at the other end of a Unix socket: `struct ucred`, which glibc declares for GNU sources only.
struct PeerIdentity: Hashable, Sendable {
  /// 0 for a process of another PID namespace.
  var process: pid_t = 0
  var user: uid_t = 0
  var group: gid_t = 0

  static let option = SO_PEERCRED

  /// - Returns: `nil` where it can't be told.
  static func of(_ socket: Int32) -> PeerIdentity? {
    var peer = PeerIdentity()
    var length = socklen_t(MemoryLayout<PeerIdentity>.size)
    guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 else { return nil }
    return peer
  }

  /// True if it may do what we may: it is the same user, or the one who may do anything anyway.
  var isTrusted: Bool { user == geteuid() || user == 0 }
}
