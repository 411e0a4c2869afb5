import Glibc
import SystemPackage

/// Whether docker's engine answers on its socket.
enum DockerCheck {
  /// - Returns: What was found, and what to do where images are to go into docker.
  @concurrent
  static func finding(environment: [String: String]) async -> Finding {
    let host = environment["DOCKER_HOST"].flatMap { $0.isEmpty ? nil : $0 }
    let address = host ?? "unix:///var/run/docker.sock"
    guard address.hasPrefix("unix://") else {
      return Finding("docker", .warn, "DOCKER_HOST=\(address) is not tried here")
    }
    let path = String(address.dropFirst(7))
    do {
      let answer = try ping(path)
      return finding(answer: answer, address: address)
    } catch {
      return Finding(
        "docker", .warn, "does not answer at \(address): \(error)", remedy: remedy(for: error))
    }
  }

  static func finding(answer: String, address: String) -> Finding {
    let lines = answer.split(whereSeparator: \.isNewline)
    guard let first = lines.first, first.hasPrefix("HTTP/1."), first.contains(" 200") else {
      let said = lines.first.map { "'\($0.prefix(80))'" } ?? "nothing"
      return Finding(
        "docker", .warn, "\(address) answers \(said)", remedy: "look at dockerd's log")
    }
    let server = lines.first { $0.lowercased().hasPrefix("server:") }?.dropFirst(7)
      .drop { $0 == " " }
    return Finding(
      "docker", .ok,
      [server.map(String.init), address].compactMap(\.self)
        .joined(separator: " at "))
  }

  private static func remedy(for error: any Error) -> String {
    let elsewhere = "or choose --load oci:DIR"
    return switch error as? Errno {
    case .permissionDenied:
      "sudo usermod -aG docker $USER and log in again, \(elsewhere)"
    default: "start it (sudo systemctl start docker), \(elsewhere)"
    }
  }

  /// Asks for `/_ping`, and waits at most three seconds at each step.
  private static func ping(_ path: String) throws -> String {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    let file = FileDescriptor(rawValue: descriptor)
    return try file.closeAfter {
      var patience = timeval(tv_sec: 3, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(
          descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
      }
      try connect(descriptor, to: path)
      try file.writeAll("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n".utf8)
      return try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
        let count = try file.read(into: buffer)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
      }
    }
  }

  private static func connect(_ descriptor: Int32, to path: String) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8CString)
    guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else {
      throw Errno.fileNameTooLong
    }
    withUnsafeMutableBytes(of: &address.sun_path) { target in
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
    }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw Errno(rawValue: errno) }
  }
}
