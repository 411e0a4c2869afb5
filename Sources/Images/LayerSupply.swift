package import SystemPackage

/// Where layers can be had that an image's own files leave out: rules_img does not bring the layers of
/// a base image here, unless it is told to.
package struct LayerSupply: Sendable {
  /// A place in a registry that has a layer.
  package struct Source: Hashable, Sendable {
    package var registry: String
    package var repository: String

    package init(registry: String, repository: String) {
      self.registry = registry
      self.repository = repository
    }
  }

  /// Brings a layer here and verifies it.
  package typealias Fetch =
    @Sendable (_ digest: Digest, _ size: Int64, _ sources: [Source]) async throws -> Blob

  /// Outputs of the build among which layers may be.
  package var files: [FilePath]
  /// Registries that have a layer.
  package var sources: [Digest: [Source]]
  package var fetch: Fetch?

  package init(
    files: [FilePath] = [], sources: [Digest: [Source]] = [:], fetch: Fetch? = nil
  ) {
    self.files = files
    self.sources = sources
    self.fetch = fetch
  }

  /// Takes from a build's outputs where the layers are that the image itself leaves out.
  ///
  /// - Parameters:
  ///   - outputs: By output group.
  ///   - image: The output that is the image.
  /// - Throws: `ImageArchiveError` when a deploy manifest can't be read.
  package init(
    outputs: [String: [FilePath]], image: FilePath, fetch: Fetch?
  ) throws(ImageArchiveError) {
    self.init(fetch: fetch)
    for path in outputs["deploy_manifest"] ?? [] {
      sources.merge(try LayerSources(reading: path).sources) { $0 + $1 }
    }
    // Only an image that names its sources leaves layers out.
    guard !sources.isEmpty else { return }
    let endings = [".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.zstd"]
    files = outputs.values.joined().filter { path in
      path != image && endings.contains { path.string.hasSuffix($0) }
    }
  }

  /// Opens the files among which layers may be, now that the build has just left them.
  ///
  /// - Returns: By their sizes.
  func openFiles() -> [Int64: [ArchiveFile]] {
    var opened: [Int64: [ArchiveFile]] = [:]
    for path in files {
      // One that can't be opened is a layer that has to come from elsewhere.
      guard case .file(let file)? = try? ArchiveFile.open(path) else { continue }
      opened[file.size, default: []].append(file)
    }
    return opened
  }

  /// The bytes of a layer that is not on disk.
  func blob(of digest: Digest, size: Int64, for path: FilePath) async throws -> Blob {
    let sources = sources[digest] ?? []
    guard !sources.isEmpty, let fetch else {
      throw ImageArchiveError(path: path, member: "layer \(digest)", reason: .notHere)
    }
    let blob: Blob
    do {
      blob = try await fetch(digest, size, sources)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw ImageArchiveError(
        path: path, member: "layer \(digest)", reason: .notFetched("\(error)"))
    }
    guard blob.size == size else {
      throw ImageArchiveError(
        path: path, member: "layer \(digest)",
        reason: .sizeMismatch(expected: size, actual: blob.size))
    }
    return blob
  }
}
