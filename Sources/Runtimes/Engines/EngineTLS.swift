import NIOSSL
import SystemPackage

/// The keys and certificates that secure the connection to an engine: read, and found to fit together.
package struct EngineTLS: Hashable, Sendable {
  /// The directory of `ca.pem`, `cert.pem` and `key.pem`, for messages.
  let directory: FilePath
  /// True if the engine's certificate must be signed by an authority that we trust, and name its host.
  let verifies: Bool
  /// The only ones that are trusted; empty: those of the machine.
  let authorities: [NIOSSLCertificate]
  /// Ours, followed by those that vouch for it; empty: we have none.
  let chain: [NIOSSLCertificate]
  private let key: NIOSSLPrivateKey?

  /// As `DOCKER_TLS_VERIFY` and `DOCKER_TLS` ask for it: with the former there must be a `ca.pem`.
  init(in directory: FilePath, verifies: Bool, askedBy reason: String) throws(RuntimeError) {
    let files = try CertificateFiles(in: directory, reason)
    if verifies, files.authorities == nil {
      throw CertificateFiles.unusable(
        "\(reason), but there is no \(directory.appending("ca.pem"))",
        "put the certificate of the engine's authority there, or set DOCKER_CERT_PATH")
    }
    try self.init(directory, files, verifies: verifies)
  }

  /// As a docker context has it.
  ///
  /// Without a `ca.pem` the machine's own authorities are trusted.
  ///
  /// - Returns: `nil` without TLS: nothing asks for it, and there is no file for it.
  init?(
    ofContext directory: FilePath, verifies: Bool, askedBy reason: String
  ) throws(RuntimeError) {
    let files = try CertificateFiles(in: directory, reason)
    if verifies, files.isEmpty { return nil }
    try self.init(directory, files, verifies: verifies)
  }

  private init(
    _ directory: FilePath, _ files: CertificateFiles, verifies: Bool
  ) throws(RuntimeError) {
    self.directory = directory
    self.verifies = verifies
    // As docker: who verifies nothing needs no authority, and may have a broken one.
    authorities = verifies ? try files.certificates("ca.pem", files.authorities) : []
    chain = try files.certificates("cert.pem", files.certificate)
    key = try files.privateKey()
    do {
      _ = try NIOSSLContext(configuration: configuration)
    } catch {
      throw CertificateFiles.unusable(
        "\(directory): cert.pem and key.pem do not belong together",
        "copy both anew; they are made as a pair")
    }
  }

  var configuration: TLSConfiguration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.certificateVerification = verifies ? .fullVerification : .none
    if !authorities.isEmpty { tls.trustRoots = .certificates(authorities) }
    tls.certificateChain = chain.map { .certificate($0) }
    tls.privateKey = key.map { .privateKey($0) }
    return tls
  }
}

/// The three files, read but not understood.
private struct CertificateFiles {
  let directory: FilePath
  var authorities: [UInt8]?
  var certificate: [UInt8]?
  var key: [UInt8]?

  var isEmpty: Bool { authorities == nil && certificate == nil && key == nil }

  init(in directory: FilePath, _ reason: String) throws(RuntimeError) {
    self.directory = directory
    authorities = try DockerFiles.read(directory.appending("ca.pem"))
    certificate = try DockerFiles.read(directory.appending("cert.pem"))
    key = try DockerFiles.read(directory.appending("key.pem"))
    if (certificate == nil) != (key == nil) {
      let (present, absent) = key == nil ? ("cert.pem", "key.pem") : ("key.pem", "cert.pem")
      throw Self.unusable(
        "\(reason), and \(directory) has \(present), but no \(absent)",
        "put the missing file there, or remove the other to go without a client certificate")
    }
  }

  func certificates(
    _ name: String, _ bytes: [UInt8]?
  ) throws(RuntimeError) -> [NIOSSLCertificate] {
    guard let bytes else { return [] }
    do {
      return try NIOSSLCertificate.fromPEMBytes(bytes)
    } catch {
      throw Self.unusable(
        "\(directory.appending(name)) holds no certificate in PEM form", "copy it anew")
    }
  }

  func privateKey() throws(RuntimeError) -> NIOSSLPrivateKey? {
    guard let key else { return nil }
    do {
      return try NIOSSLPrivateKey(bytes: key, format: .pem)
    } catch {
      throw Self.unusable(
        "\(directory.appending("key.pem")) holds no private key in PEM form without a passphrase",
        "copy it anew, or take the passphrase off: openssl pkey -in OLD -out key.pem")
    }
  }

  static func unusable(_ message: String, _ hint: String) -> RuntimeError {
    RuntimeError(runtime: "docker", kind: .unreachable, message: message, hint: hint)
  }
}
