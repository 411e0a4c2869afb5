import Glibc
import SystemPackage

/// A TCP port of this machine that nobody listens at.
package enum LoopbackPort {
  /// The kernel gives out another each time.
  package static func free() throws -> Int {
    let descriptor = FileDescriptor(
      rawValue: socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    return try descriptor.closeAfter {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor.rawValue, $0, length) == 0
            ? getsockname(descriptor.rawValue, $0, &length) : -1
        }
      }
      guard status == 0 else { throw Errno(rawValue: errno) }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }
}
