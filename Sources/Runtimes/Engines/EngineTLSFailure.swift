import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import SystemPackage

/// Why a connection could not be secured, from the error that came of it and what the engine shows.
struct EngineTLSFailure {
  let host: String
  let port: Int
  let tls: EngineTLS

  /// - Returns: `nil` when the error has nothing to do with TLS.
  func explain(_ error: any Error) async -> (reason: String, remedy: String)? {
    let text = "\(error)"
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
      return (
        "it does not speak TLS there",
        "name the port where dockerd serves TLS (2376), or ask without it: unset DOCKER_TLS_VERIFY, "
          + "or make the docker context without certificates"
      )
    }
    if text.contains("CERTIFICATE_VERIFY_FAILED") { return explain(await shown()) }
    if text.contains("failedToValidateHostname") || text.contains("unableToValidateCertificate") {
      return (
        "its certificate does not name \(host)",
        "give the name that it has, or have \(host) added to its subjectAltName"
      )
    }
    // The engine's own complaint about our certificate.
    guard text.contains("ALERT") || tls.chain.isEmpty && text.contains("emoteConnectionClosed")
    else { return nil }
    return explainOurs(at: time(nil))
  }

  private func explainOurs(at now: time_t) -> (reason: String, remedy: String) {
    let ours = tls.directory.appending("cert.pem")
    guard let certificate = tls.chain.first else {
      return (
        "it wants to see a certificate, and there is no \(ours)",
        "put cert.pem and key.pem for it into \(tls.directory)"
      )
    }
    if certificate.notValidAfter < now {
      return (
        "\(ours) has expired, on \(Self.day(certificate.notValidAfter))",
        "have it renewed by the engine's authority"
      )
    }
    return (
      "it does not accept \(ours)",
      "have it signed by the authority that dockerd's --tlscacert names"
    )
  }

  private func explain(_ certificate: NIOSSLCertificate?) -> (reason: String, remedy: String) {
    let now = time(nil)
    let authority = tls.directory.appending("ca.pem")
    if let certificate, certificate.notValidAfter < now {
      return (
        "its certificate has expired, on \(Self.day(certificate.notValidAfter))",
        "have it renewed on \(host)"
      )
    }
    if let certificate, certificate.notValidBefore > now {
      return (
        "its certificate is not valid before \(Self.day(certificate.notValidBefore))",
        "is this machine's clock right?"
      )
    }
    if let expired = tls.authorities.first, tls.authorities.allSatisfy({ $0.notValidAfter < now }) {
      return (
        "\(authority) has expired, on \(Self.day(expired.notValidAfter))",
        "put the certificate of the engine's authority there"
      )
    }
    return (
      tls.authorities.isEmpty
        ? "its certificate is signed by no authority that this machine trusts"
        : "its certificate is not signed by the authority in \(authority)",
      "put the certificate of the engine's authority into \(authority)"
    )
  }

  /// The engine's certificate, whoever signed it; `nil` when it is not shown in time.
  private func shown() async -> NIOSSLCertificate? {
    let seen = Seen()
    // Another failure on this second way leaves the first to be told.
    try? await look(seen)
    return seen.certificate.withLock { $0 }
  }

  private func look(_ seen: Seen) async throws {
    let context = try NIOSSLContext(configuration: tls.configuration)
    let name = host.allSatisfy { $0.isNumber || ".:[]".contains($0) } ? nil : host
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(5))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = try NIOSSLClientHandler(
            context: context, serverHostname: name,
            customVerificationCallback: { certificates, verdict in
              seen.certificate.withLock { $0 = certificates.first }
              verdict.succeed(.failed)
              channel.close(promise: nil)
            })
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .connect(host: host.filter { $0 != "[" && $0 != "]" }, port: port).get()
    channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
    try await channel.closeFuture.get()
  }

  private final class Seen: Sendable {
    let certificate = Mutex<NIOSSLCertificate?>(nil)
  }

  private static func day(_ time: time_t) -> String {
    Date(timeIntervalSince1970: Double(time))
      .formatted(Date.ISO8601FormatStyle().year().month().day())
  }
}
