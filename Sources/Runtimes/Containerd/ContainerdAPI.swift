import Basics
import Images
import SystemPackage

/// Asked of containerd itself, what `ctr` answers in a dozen milliseconds a question.
///
/// For one that runs here: into a cluster's node only `ctr` leads. Importing is `ctr`'s in any case.
/// Source: https://github.com/containerd/containerd/tree/main/api/services
struct ContainerdAPI: Sendable {
  var socket: FilePath
  var namespace: String
  var snapshotter: String

  /// Fields of the message `containerd.services.images.v1.Image`.
  private enum ImageField {
    static let name: UInt64 = 1
    static let labels: UInt64 = 2
    static let target: UInt64 = 3
  }

  /// Asks for what the images' names stand for, and which of their blobs are there.
  ///
  /// - Throws: `RemoteCalls.Broken`, `RemoteCalls.Refusal`, `CancellationError`.
  func state(of loads: [LayoutLoad]) async throws -> Ctr.State {
    try await connected { calls in
      var state = Ctr.State()
      for load in loads {
        for name in load.names {
          let manifest = load.image.manifest.digest
          guard let image = try await image(name, calls), let digest = try Self.digest(of: image)
          else { continue }
          let isUnpacked =
            if digest == manifest { try await isUnpacked(load.image, calls) } else { false }
          state.names[name] = Ctr.Held(digest: digest, isUnpacked: isUnpacked)
        }
      }
      // Nothing is sent of those that are as they should be.
      let changed = loads.filter { load in
        let wanted = Ctr.Held(digest: load.image.manifest.digest, isUnpacked: true)
        return !load.names.allSatisfy { state.names[$0] == wanted }
      }
      for digest in Set(changed.flatMap(\.image.blobs)) {
        let request = WireWriter(1, digest.description)
        if try await answer("content.v1.Content/Info", request, calls) != nil {
          state.blobs.insert(digest)
        }
      }
      let filter = WireWriter(1, "name~=^\(Ctr.Import.prefix)")
      let list = try await calls.call(Self.method("images.v1.Images/List"), filter.bytes)
      var reader = WireReader(list[...])
      while let image = try reader.field() {
        if let name = try WireReader.field(ImageField.name, of: image.bytes) {
          state.temporaryNames.append(name.text)
        }
      }
      return state
    }
  }

  /// Gives each image that came in under its temporary name, and is unpacked and the one that was
  /// meant, its own names. The temporary names are gone afterwards.
  ///
  /// - Returns: The names that now stand for their images.
  /// - Throws: As `state(of:)`.
  func settle(_ imports: [Ctr.Import]) async throws -> Set<String> {
    try await connected { calls in
      var done: Set<String> = []
      for item in imports {
        guard let image = try await image(item.temporaryName, calls) else { continue }
        if try Self.digest(of: image) == item.image.manifest.digest,
          try await isUnpacked(item.image, calls)
        {
          for name in item.names {
            try await store(image, as: name, calls)
            done.insert(name)
          }
        }
      }
      try await remove(imports.map(\.temporaryName), calls)
      return done
    }
  }

  /// Takes names back, as far as they are there.
  ///
  /// - Throws: As `state(of:)`.
  func remove(_ names: [String]) async throws {
    try await connected { try await remove(names, $0) }
  }

  /// Asks in one question for what names stand for.
  ///
  /// - Throws: As `state(of:)`.
  func digests(of names: [String]) async throws -> [String: Digest] {
    try await connected { calls in
      var request = WireWriter()
      for name in names { request.add(1, "name==\(name)") }
      let list = try await calls.call(Self.method("images.v1.Images/List"), request.bytes)
      var reader = WireReader(list[...])
      var digests: [String: Digest] = [:]
      while let image = try reader.field() {
        if let name = try WireReader.field(ImageField.name, of: image.bytes) {
          digests[name.text] = try Self.digest(of: image.bytes)
        }
      }
      return digests
    }
  }

  private func remove(_ names: [String], _ calls: RemoteCalls) async throws {
    for name in names {
      _ = try await answer("images.v1.Images/Delete", WireWriter(1, name), calls)
    }
  }

  private func connected<Value: Sendable>(
    _ body: (RemoteCalls) async throws -> Value
  ) async throws -> Value {
    try await RemoteCalls.using(socket, headers: [("containerd-namespace", namespace)], body)
  }

  private static func method(_ name: String) -> String { "/containerd.services.\(name)" }

  /// - Returns: `nil` when there is no such thing.
  private func answer(
    _ method: String, _ request: WireWriter, _ calls: RemoteCalls
  ) async throws -> [UInt8]? {
    do {
      return try await calls.call(Self.method(method), request.bytes)
    } catch let refusal as RemoteCalls.Refusal where refusal.isNotFound {
      return nil
    }
  }

  private func image(_ name: String, _ calls: RemoteCalls) async throws -> ArraySlice<UInt8>? {
    guard let answer = try await answer("images.v1.Images/Get", WireWriter(1, name), calls)
    else { return nil }
    return try WireReader.field(1, of: answer[...])?.bytes
  }

  private static func digest(of image: ArraySlice<UInt8>) throws -> Digest? {
    // Field 2 of `containerd.types.Descriptor`.
    try WireReader.field(ImageField.target, of: image).flatMap {
      target throws(WireReader.Malformed) in
      try WireReader.field(2, of: target.bytes)
    }.flatMap { Digest($0.text) }
  }

  /// A snapshot of all its layers is there, from which a container can start.
  private func isUnpacked(_ image: LayoutImage, _ calls: RemoteCalls) async throws -> Bool {
    var request = WireWriter(1, snapshotter)
    request.add(2, image.chainID.description)
    return try await answer("snapshots.v1.Snapshots/Stat", request, calls) != nil
  }

  /// Moves a name to what another stands for, in one step.
  private func store(
    _ image: ArraySlice<UInt8>, as name: String, _ calls: RemoteCalls
  ) async throws {
    var copy = WireWriter(ImageField.name, name)
    var reader = WireReader(image)
    while let field = try reader.field() {
      if field.number == ImageField.labels || field.number == ImageField.target {
        copy.add(field.number, Array(field.bytes))
      }
    }
    let request = WireWriter(1, copy.bytes)
    if try await answer("images.v1.Images/Update", request, calls) == nil {
      _ = try await calls.call(Self.method("images.v1.Images/Create"), request.bytes)
    }
  }
}

extension LayoutImage {
  /// All that belongs to it.
  fileprivate var blobs: [Digest] { [manifest.digest, archive.configDigest] + digests }

  /// By which snapshotters know all its layers, one upon another.
  ///
  /// Source: https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
  var chainID: Digest {
    let layers = archive.layers.map(\.diffID)
    guard let first = layers.first else { return Digest(of: []) }
    return layers.dropFirst().reduce(first) { Digest(of: "\($0) \($1)".utf8) }
  }
}
