import AsyncHTTPClient
import NIOCore
import SystemPackage

extension RuntimeError {
  /// An engine that could not be spoken to: why, and what to do about it.
  init(unreachable place: String, _ runtime: String, _ error: any Error) {
    let (reason, remedy) = runtime == "podman" ? Self.explainPodman(error) : Self.explain(error)
    self.init(unreachable: place, runtime, reason, remedy)
  }

  init(unreachable place: String, _ runtime: String, _ reason: String, _ remedy: String) {
    self.init(
      runtime: runtime, kind: .unreachable,
      message: "\(runtime) does not answer at \(place): \(reason)",
      hint: "\(remedy), or choose --load oci:DIR")
  }

  /// An engine behind ssh, with what ssh or docker said, if they said anything.
  init(unreachable place: String, words: String?, _ error: any Error) {
    self.init(
      unreachable: place, "docker", words ?? Self.explain(error).reason,
      "does ssh to that host run 'docker version' without a question? A key in ssh-agent and an "
        + "entry in known_hosts let it")
  }

  /// The remedy where an engine answered in words that mean something else.
  static func hint(forRefusal words: String) -> String? {
    // What Go's server says, and dockerd with it, on a port of TLS.
    words.contains("HTTP request to an HTTPS server")
      ? "it speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory of ca.pem, "
        + "cert.pem and key.pem, or make a docker context with them"
      : nil
  }

  private static func explainPodman(_ error: any Error) -> (reason: String, remedy: String) {
    (
      explain(error).reason,
      "does 'podman info' work? Its service is 'systemctl --user start podman.socket'"
    )
  }

  private static func explain(_ error: any Error) -> (reason: String, remedy: String) {
    let start = "is dockerd running? (systemctl start docker)"
    switch error {
    case let error as IOError:
      let errno = Errno(rawValue: error.errnoCode)
      if errno == .permissionDenied || errno == .notPermitted {
        return (
          "permission denied",
          "join the group docker (sudo usermod -aG docker $USER, then log in again)"
        )
      }
      return ("\(errno)".lowercased(), start)
    case let silence as Silence: return ("\(silence)", "is dockerd stuck, or the way to it?")
    case let error as HTTPClientError
    where [.connectTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout].contains(error):
      return ("no answer in time", "is dockerd stuck? (systemctl restart docker)")
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      return ("it closed the connection", start)
    case let error as HTTPClientError: return (error.shortDescription, start)
    default: return ("\(error)", start)
    }
  }
}
