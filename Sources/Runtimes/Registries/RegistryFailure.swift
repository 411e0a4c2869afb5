import AsyncHTTPClient
import NIOCore
import NIOSSL
import SystemPackage

extension RuntimeError {
  /// A registry that could not be spoken to: why, and what to do about it.
  init(unreachable address: RegistryAddress, _ error: any Error) {
    let (reason, hint) = Self.explain(error, address)
    self.init(
      runtime: "registry:\(address)", kind: .unreachable,
      message: "registry \(address.host) does not answer: \(reason)", hint: hint)
  }

  private static let silence = "no word from it in time"
  private static let stuck = "is it stuck, or the way there?"

  /// The registry did not answer in time.
  var isSilence: Bool { message.hasSuffix(Self.silence) }

  private static func explain(
    _ error: any Error, _ address: RegistryAddress
  ) -> (reason: String, hint: String) {
    let running = "is it running?"
    switch error {
    case let silence as Silence: return ("\(silence): \(Self.silence)", Self.stuck)
    case let error as IOError:
      return ("\(Errno(rawValue: error.errnoCode))".lowercased(), running)
    case let error as HTTPClientError
    where [
      .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout,
      .getConnectionFromPoolTimeout, .tlsHandshakeTimeout,
    ].contains(error):
      return (silence, stuck)
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      return ("it closed the connection", running)
    case let error as HTTPClientError:
      return (error.shortDescription.lowercased(), running)
    default: break
    }
    // Neither the errors of TLS nor those of connecting are values that can be told apart.
    let text = "\(error)"
    if text.contains("onnection refused") || text.contains("errno: 111") {
      return ("connection refused", running)
    }
    if text.hasPrefix("DNS error") {
      return ("nobody knows its name", "is it spelt right, and is the network up?")
    }
    if text.contains("WRONG_VERSION_NUMBER") {
      return (
        "it speaks plain http",
        "that is for this machine only: give it a certificate, or go through "
          + "localhost (ssh -L 5000:\(address.host) …, --load registry:localhost:5000)"
      )
    }
    if text.contains("CERTIFICATE_REQUIRED") || text.contains("ALERT_BAD_CERTIFICATE")
      || text.contains("ALERT_UNKNOWN_CA") || text.contains("HANDSHAKE_FAILURE")
    {
      return (
        "it does not accept our certificate",
        "put one that it does into /etc/docker/certs.d/\(address.host)/client.cert, and its key "
          + "beside it into client.key"
      )
    }
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return (
        "nobody we trust vouches for its certificate (CERTIFICATE_VERIFY_FAILED)",
        "put its CA's certificate into /etc/docker/certs.d/\(address.host)/ca.crt"
      )
    }
    if text.contains("failedToValidateHostname") || text.contains("ailed to validate hostname") {
      return ("its certificate is for another name", "use the name that the certificate has")
    }
    return (RegistryClient.printable(text), running)
  }
}
