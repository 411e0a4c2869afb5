import Glibc
import SystemPackage

/// A name that one process of a user holds at a time: no file stands for it that could be removed.
///
/// An abstract socket, which the kernel gives up when the process ends, however it ends. Any user
/// may take any name, so one that another user holds counts for nothing.
/// Source: unix(7), "abstract"
final class NameClaim: Sendable {
  enum Attempt {
    case taken(NameClaim)
    /// By a process of this user; its ID where it can be told.
    case held(by: pid_t?)
    /// The kernel does not offer it, or another user is in the way.
    case unavailable
  }

  private let socket: FileDescriptor

  private init(_ socket: FileDescriptor) { self.socket = socket }

  deinit {
    // Nothing was written through it, so closing has nothing to report.
    try? socket.close()
  }

  /// Takes the name, without waiting.
  ///
  /// - Parameter name: At most 107 bytes.
  static func take(_ name: String) -> Attempt {
    guard let socket = open() else { return .unavailable }
    if withAddress(of: name, { bind(socket.rawValue, $0, $1) }) == 0,
      listen(socket.rawValue, SOMAXCONN) == 0
    {
      return .taken(NameClaim(socket))
    }
    // As above. The error that matters is kept.
    let error = errno
    try? socket.close()
    return error == EADDRINUSE ? holder(of: name) : .unavailable
  }

  private static func holder(of name: String) -> Attempt {
    guard let socket = open() else { return .unavailable }
    defer {
      // As above.
      try? socket.close()
    }
    guard withAddress(of: name, { connect(socket.rawValue, $0, $1) }) == 0 else {
      return .unavailable
    }
    var peer = Peer()
    var length = socklen_t(MemoryLayout<Peer>.size)
    guard getsockopt(socket.rawValue, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0,
      peer.uid == geteuid()
    else { return .unavailable }
    // 0 for a process of another PID namespace.
    return .held(by: peer.pid > 0 ? peer.pid : nil)
  }

  /// `struct ucred`, which glibc declares for GNU sources only.
  private struct Peer {
    var pid: pid_t = 0
    var uid: uid_t = 0
    var gid: gid_t = 0
  }

  private static func open() -> FileDescriptor? {
    let type = [SOCK_SEQPACKET, SOCK_CLOEXEC, SOCK_NONBLOCK].reduce(0) { $0 | $1.rawValue }
    let socket = Glibc.socket(AF_UNIX, Int32(type), 0)
    return socket >= 0 ? FileDescriptor(rawValue: socket) : nil
  }

  private static func withAddress<Value>(
    of name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // The first byte stays 0: that is what makes it abstract.
    let bytes = Array(name.utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1))
    withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: bytes) }
    let length = MemoryLayout<sa_family_t>.size + 1 + bytes.count
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
    }
  }
}
