import Basics
import NIOSSL
import SystemPackage

/// The certificates for one registry, as docker and podman keep them in `certs.d/HOST`.
///
/// `*.crt` are authorities that vouch for it; `NAME.cert` and `NAME.key` are what it wants of us.
/// Source: https://docs.docker.com/engine/security/certificates/
struct RegistryCertificates: Sendable {
  struct Problem: Hashable, Sendable {
    var message: String
    var hint: String
  }

  private(set) var tls = TLSConfiguration.makeClientConfiguration()
  /// Why a certificate of ours can't be shown.
  private(set) var problem: Problem?

  /// Where docker and podman keep them.
  static func directories(_ environment: [String: String]) -> [FilePath] {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : FilePath($0) }
    return ["/etc/docker/certs.d", "/etc/containers/certs.d"]
      + (home.map { [$0.appending(".config/containers/certs.d")] } ?? [])
  }

  /// - Parameter directories: In which `HOST` is a directory.
  init(_ directories: [FilePath], host: String) {
    let files = directories.flatMap { Self.files(in: $0.appending(host)) }
    // A file that is none is as good as no file: the connection then says which certificate it is.
    let roots = files.filter { $0.extension == "crt" }
      .flatMap { (try? NIOSSLCertificate.fromPEMFile($0.string)) ?? [] }
    if !roots.isEmpty { tls.additionalTrustRoots = [.certificates(roots)] }
    guard let certificate = files.first(where: { $0.extension == "cert" }) else { return }
    var key = certificate
    key.extension = "key"
    do {
      tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate.string)
        .map { .certificate($0) }
    } catch {
      problem = Problem(
        message: "\(certificate) can't be read as a certificate", hint: "is it PEM, and yours?")
      return
    }
    do {
      tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key.string, format: .pem))
    } catch {
      problem = Problem(
        message: "\(key), which belongs to \(certificate), can't be read as a key",
        hint: "is it there, PEM without a passphrase, and yours?")
    }
  }

  private static func files(in directory: FilePath) -> [FilePath] {
    var names: [String] = []
    DirectoryEntries.forEach(in: directory) { name, _ in names.append(String(cString: name)) }
    return names.sorted().map { directory.appending($0) }
  }
}
