package import SystemPackage

/// Why a file that should be an image is none, or none that can be loaded.
package struct ImageArchiveError: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable {
    case unreadable(Errno)
    /// A device, pipe or socket.
    case notAFile
    case notTar
    /// The whole archive is compressed, with `gzip` or another.
    case compressed(String)
    /// The compressed bytes make no sense, or end too early.
    case damaged(String)
    /// A compressed archive could not be unpacked beside the build.
    case noSpace(Errno)
    case damagedHeader(offset: Int64)
    case truncated
    case sparse
    /// Bytes claimed, and how many we accept.
    case tooLarge(Int64, limit: Int64)
    case tooManyMembers(limit: Int)
    /// In JSON.
    case tooManyValues(limit: Int)
    /// Neither `manifest.json` nor `index.json`.
    case noManifest
    case emptyManifest
    case invalidJSON(String)
    /// Named by a manifest, but not in the archive.
    case missing
    /// A layer that the layout leaves out, that the runtime does not have, and that can't be had from
    /// anywhere.
    case notHere
    /// The same, where a registry is known, and why it does not give the layer.
    case notFetched(String)
    /// The file is a symbolic link, and this, where it leads, is not there.
    case danglingLink(target: FilePath)
    case duplicate
    /// A manifest names a path that leads out of the archive.
    case outside
    /// A directory, device or broken link where a file should be.
    case notAMember
    case layerCount(manifest: Int, config: Int)
    case invalidDigest(String)
    case digestMismatch(expected: Digest, actual: Digest)
    case sizeMismatch(expected: Int64, actual: Int64)
    /// A multi-platform index without an image for this machine.
    case noPlatform(wanted: String, found: [String])
    case unsupportedMediaType(String)
  }

  package var path: FilePath
  /// The part of the archive that is wrong, where it is not the whole.
  package var member: String?
  package var reason: Reason

  package init(path: FilePath, member: String? = nil, reason: Reason) {
    self.path = path
    self.member = member
    self.reason = reason
  }

  init(path: FilePath, _ error: TarError) {
    switch error {
    case .unreadable(let errno): self.init(path: path, reason: .unreadable(errno))
    case .notTar: self.init(path: path, reason: .notTar)
    case .compressed(let kind): self.init(path: path, reason: .compressed(kind))
    case .damagedHeader(let offset): self.init(path: path, reason: .damagedHeader(offset: offset))
    case .truncated(let member): self.init(path: path, member: member, reason: .truncated)
    case .oversizedHeader(let offset, let size):
      self.init(
        path: path, member: "header at byte \(offset)",
        reason: .tooLarge(size, limit: TarReader.headerLimit))
    case .sparse(let member): self.init(path: path, member: member, reason: .sparse)
    case .tooManyMembers(let limit):
      self.init(path: path, reason: .tooManyMembers(limit: limit))
    }
  }
}

extension ImageArchiveError {
  /// Where a broken link of the archive leads, if that is what is wrong: the image may be had as a tar.
  package var danglingTarget: FilePath? {
    guard case .danglingLink(let target) = reason else { return nil }
    return target
  }
}

extension ImageArchiveError: CustomStringConvertible {
  package var description: String {
    let advice = reason.isOfContent ? "; look at the rule that makes it" : ""
    guard let member else { return "\(path): \(reason)\(advice)" }
    // A hostile name may be a megabyte long.
    let name = member.count > 200 ? "\(member.prefix(200))…" : member
    return "\(path): \(name): \(reason)\(advice)"
  }
}

extension ImageArchiveError.Reason {
  /// The archive is whole, but what is in it does not fit together.
  fileprivate var isOfContent: Bool {
    switch self {
    case .emptyManifest, .invalidJSON, .missing, .duplicate, .outside, .notAMember, .layerCount,
      .invalidDigest, .digestMismatch, .sizeMismatch:
      true
    default: false
    }
  }
}

extension ImageArchiveError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(let errno): "can't be read: \(errno)"
    case .notAFile: "neither a file nor a directory"
    case .notTar:
      "not a tar; name a target that makes a docker-archive or an OCI image layout"
    case .compressed(let kind):
      "the whole archive is compressed by \(kind), which is not read here; "
        + "name the target that makes the tar uncompressed, or compressed by gzip"
    case .damaged(let kind): "its \(kind) compression is damaged; build it again"
    case .noSpace(let errno):
      "can't be unpacked in the directory for temporary files: \(errno); "
        + "make room there, or set TMPDIR"
    case .damagedHeader(let offset): "damaged tar header at byte \(offset); build it again"
    case .truncated: "truncated: the file ends before its content does; build it again"
    case .sparse: "sparse tar members are not supported; make the tar without --sparse"
    case .tooLarge(let size, let limit): "\(size) bytes, more than the \(limit) accepted"
    case .tooManyMembers(let limit): "more than \(limit) members, or names too long for an image"
    case .tooManyValues(let limit): "more than \(limit) values: that is no image's"
    case .noManifest:
      "no image: neither manifest.json nor index.json inside; "
        + "name a target that makes a docker-archive or an OCI image layout"
    case .emptyManifest: "lists no image"
    case .invalidJSON(let message): "not the JSON expected: \(message)"
    case .missing: "named by the manifest, but not in the archive"
    case .notHere:
      "neither on disk nor in the runtime, and no registry is known that has it; "
        + #"set layer_handling = "eager" on the pull of the base image"#
    case .notFetched(let why): "neither on disk nor in the runtime: \(why)"
    case .danglingLink(let target):
      "a link to \(target), which is not there; "
        + "have Bazel bring it here: --remote_download_outputs=toplevel"
    case .duplicate: "in the archive more than once, with different contents"
    case .outside: "the manifest names a path outside the archive"
    case .notAMember: "not a regular file in the archive"
    case .layerCount(let manifest, let config):
      "the manifest has \(manifest) layers, the configuration \(config)"
    case .invalidDigest(let text): "not a sha256 digest: \(text.prefix(100))"
    case .digestMismatch(let expected, let actual):
      "content does not match its digest: expected \(expected), got \(actual)"
    case .sizeMismatch(let expected, let actual):
      "\(actual) bytes where the manifest says \(expected)"
    case .noPlatform(let wanted, let found):
      "no image for \(wanted), only for \(found.joined(separator: ", ")); "
        + "set the image's platform"
    case .unsupportedMediaType(let type): "media type not supported: \(type.prefix(100))"
    }
  }
}
