import Basics
package import Images
import NIOHTTP1
package import Processes
import Synchronization
package import SystemPackage

/// Fetches layers of base images from the registries that have them, with the user's logins, and keeps them.
///
/// rules_img leaves them there by default. They are needed only where a runtime lacks them.
package final class LayerFetcher: Sendable {
  private let cache: LayerCache
  private let environment: [String: String]
  private let certificates: [FilePath]
  private let runner: any CommandRunner
  private let patience: Duration
  private let clients = Mutex<[String: RegistryClient]>([:])
  private let underway = LayersUnderway()

  /// - Parameters:
  ///   - environment: Says where logins are kept.
  ///   - certificates: Directories in which `HOST` is a directory of certificates.
  ///   - patience: How long a registry may say nothing.
  package init(
    _ cache: LayerCache, environment: [String: String], certificates: [FilePath],
    runner: any CommandRunner, patience: Duration = .seconds(300)
  ) {
    self.cache = cache
    self.environment = environment
    self.certificates = certificates
    self.runner = runner
    self.patience = patience
  }

  /// One that keeps layers in `$XDG_CACHE_HOME/watchbuild/layers`, in `~/.cache` by default.
  ///
  /// - Returns: `nil` when neither `XDG_CACHE_HOME` nor `HOME` is an absolute path.
  package convenience init?(environment: [String: String], runner: any CommandRunner) {
    func directory(_ name: String) -> FilePath? {
      environment[name].map { FilePath($0) }.flatMap { $0.isAbsolute ? $0 : nil }
    }
    guard let base = directory("XDG_CACHE_HOME") ?? directory("HOME")?.appending(".cache") else {
      return nil
    }
    self.init(
      LayerCache(in: PrivateDirectory(below: base, "watchbuild", "layers")),
      environment: environment,
      certificates: RegistryCertificates.directories(environment), runner: runner)
  }

  /// Closes all connections. To be called once, when no load is under way.
  package func shutdown() async {
    for client in clients.withLock({ Array($0.values) }) { await client.shutdown() }
  }

  /// Brings a layer here, from the first of the sources that gives it.
  ///
  /// - Throws: `RuntimeError` that says why none does; `CancellationError`.
  package func fetch(
    _ digest: Digest, size: Int64, from sources: [LayerSupply.Source]
  ) async throws -> Blob {
    do {
      if let blob = try await cache.blob(digest, size: size) { return blob }
      // Images over one base are loaded at once.
      while !(await underway.enter([digest])) {
        try Task.checkCancellation()
        if let blob = try await cache.blob(digest, size: size) { return blob }
      }
      do {
        let blob = try await fetchAnew(digest, size, sources)
        await underway.leave([digest])
        return blob
      } catch {
        await underway.leave([digest])
        throw error
      }
    } catch let error as Errno {
      throw storage(error.description)
    } catch let error as UntrustedFile {
      throw storage(error.description)
    }
  }

  private func fetchAnew(
    _ digest: Digest, _ size: Int64, _ sources: [LayerSupply.Source]
  ) async throws -> Blob {
    var problems: [String] = []
    for source in sources {
      guard let address = RegistryAddress(of: source.registry) else {
        problems.append("'\(source.registry)' is no registry's address")
        continue
      }
      do {
        try await cache.add(digest, size: size) { receive in
          try await self.fetch(digest, source.repository, from: address, receive)
        }
        if let blob = try await cache.blob(digest, size: size) { return blob }
        problems.append("it was removed as soon as it had come")
      } catch is LayerCache.Mismatch {
        problems.append("\(source.registry)/\(source.repository) gives something else")
      } catch let error as RuntimeError {
        problems.append("\(error)")
      }
    }
    throw RuntimeError(
      runtime: sources.first?.registry ?? "registry", kind: .unreachable,
      message: problems.joined(separator: "; "),
      hint:
        #"log in to the registry, or set layer_handling = "eager" on the pull of the base image"#)
  }

  private func fetch(
    _ digest: Digest, _ repository: String, from address: RegistryAddress,
    _ receive: @escaping RegistryClient.Receiver
  ) async throws {
    let answer = try await client(address).send(
      .GET, "\(repository)/blobs/\(digest)", for: RegistryAccess(source: repository),
      receive: receive)
    guard answer.status == 200 else {
      throw RuntimeError(
        runtime: "registry:\(address)", kind: .refused,
        message: "\(address.host)/\(repository): \(RegistryClient.message(answer))", hint: nil)
    }
  }

  private func client(_ address: RegistryAddress) -> RegistryClient {
    clients.withLock { clients in
      if let client = clients[address.host] { return client }
      let client = RegistryClient(
        address,
        credentials: RegistryCredentials(
          files: RegistryCredentials.files(environment), runner: runner, patience: .seconds(60)),
        certificates: RegistryCertificates(certificates, host: address.host), patience: patience)
      clients[address.host] = client
      return client
    }
  }

  private func storage(_ reason: String) -> RuntimeError {
    RuntimeError(
      runtime: "layers", kind: .storage, message: "layers can't be kept: \(reason)",
      hint: "make room on the disk, or check the directory's owner")
  }
}
