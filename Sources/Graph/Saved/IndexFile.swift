package import Basics
import Glibc
package import SystemPackage
package import Watcher

/// An index kept on disk, with the state of all its files and what was owed, so that the next
/// start knows the graph, and what has changed meanwhile, before Bazel has been asked anything.
package struct IndexFile: Sendable {
  /// An index that an earlier run left.
  package struct Saved: Sendable {
    package var index: TargetIndex
    /// Made while nobody watched. A changed BUILD, `.bzl` or workspace file is among them, so that
    /// its effect makes the index stale.
    package var changes: [FileChange]
    /// Names of images that were not up to date when the file was written.
    package var owed: Set<String>
  }

  /// Why there is nothing to go on with.
  package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case absent, foreign, damaged
    case otherVersion
    case otherImages
    case untrusted(UntrustedFile)

    package var description: String {
      switch self {
      case .absent: "there is no saved index"
      case .foreign: "the saved index is of another workspace, or is none"
      case .damaged: "the saved index is damaged"
      case .otherVersion: "the saved index is of another version of watchbuild"
      case .otherImages: "the saved index is of other images"
      case .untrusted(let file): "the saved index is not read: \(file)"
      }
    }
  }

  private static let magic: UInt64 = 0x5844_4E49_444C_4257
  /// To be raised with every change of what is written.
  private static let version: UInt32 = 2
  /// What a batch may still hold back when an index is saved, a long checkout above all; in
  /// seconds.
  private static let margin = 15.0

  private let name: String
  private let directory: PrivateDirectory

  package init(_ name: String, in directory: PrivateDirectory) {
    self.name = name
    self.directory = directory
  }

  // MARK: Writing

  /// Saves an index, so that a crash leaves the old file or the new.
  ///
  /// - Parameters:
  ///   - index: The newest.
  ///   - images: Of this workspace.
  ///   - owed: Names of images that are not up to date.
  ///   - moment: When the query began, in seconds since 1970. A file that changed later is not
  ///     known to be what the index says.
  /// - Throws: `Errno`; `UntrustedFile`.
  package func save(
    _ index: TargetIndex, of images: [ImageTarget], owed: Set<String>, since moment: Double
  ) throws {
    let other = Self.others(index)
    let states = FileStates(
      of: index, and: other, query: moment - Self.tick, changedSince: moment - Self.margin)
    var owed = owed
    for path in states.recent {
      owed.formUnion(index.effect(of: FileChange(path: path, kind: .modified)).images)
    }
    var body = BinaryWriter()
    body.write(Self.identity(of: images, in: index.workspace))
    body.write(owed.sorted())
    index.write(to: &body)
    states.write(to: &body)
    var head = BinaryWriter()
    head.write(Self.magic)
    head.write(Self.version)
    head.write(Checksum.of(body.bytes[...]))
    try directory.open().replace(name, with: head.bytes + body.bytes)
  }

  // MARK: Reading

  /// Reads what was saved and looks at every file of it.
  ///
  /// - Parameters:
  ///   - workspace: Absolute, symbolic links resolved.
  ///   - images: Of this workspace, as they are configured now.
  /// - Returns: The index, what changed since, and what was owed.
  /// - Throws: Why it is of no use; the index is then to be asked for.
  @concurrent
  package func load(
    _ workspace: FilePath, images: [ImageTarget]
  ) async throws(Refusal) -> Saved {
    let bytes = try content()
    let saved: Saved?
    do {
      var reader = try Self.body(of: bytes)
      guard try reader.readTexts() == Self.identity(of: images, in: workspace) else {
        throw Refusal.otherImages
      }
      let owed = Set(try reader.readTexts())
      let index = try TargetIndex(reading: &reader)
      let states = try FileStates(reading: &reader)
      guard reader.isAtEnd, index.workspace == workspace else { throw Refusal.damaged }
      saved = Saved(
        index: index, changes: states.changes(in: index, and: Self.others(index)), owed: owed)
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      saved = nil
    }
    guard let saved else { throw .damaged }
    return saved
  }

  /// Names of the images that the file is of, as they were when it was written. Nothing is checked against the disk.
  package func imageNames() -> [String] {
    // A file that can't be read has no names to offer.
    guard let bytes = try? content(), var reader = try? Self.body(of: bytes),
      let identity = try? reader.readTexts()
    else { return [] }
    return identity.dropFirst().compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  /// Reads a file's head.
  ///
  /// - Returns: A reader of the rest, which is whole.
  private static func body(of bytes: [UInt8]) throws -> BinaryReader {
    var reader = BinaryReader(bytes)
    guard try reader.read(UInt64.self) == magic else { throw Refusal.foreign }
    guard try reader.read(UInt32.self) == version else { throw Refusal.otherVersion }
    let checksum = try reader.read(UInt64.self)
    guard checksum == Checksum.of(bytes[headLength...]) else { throw Refusal.damaged }
    return reader
  }

  private func content() throws(Refusal) -> [UInt8] {
    let magic = withUnsafeBytes(of: Self.magic.littleEndian) { Array($0) }
    let bytes: [UInt8]?
    do {
      let directory = try directory.openExisting()
      // What is none of ours is not read to its end.
      if let start = try directory?.start(of: name, count: magic.count), start != magic {
        throw Refusal.foreign
      }
      bytes = try directory?.read(name, limit: Self.limit)
    } catch let untrusted as UntrustedFile {
      throw .untrusted(untrusted)
    } catch {
      throw .foreign
    }
    guard let bytes else { throw .absent }
    return bytes
  }

  // MARK: Content

  /// An index of a million files has half of this; in bytes.
  private static let limit = 512 << 20

  private static let headLength = 20
  /// The kernel stamps files with a clock that is so much behind; in seconds.
  private static let tick = 0.02

  /// The workspace and, one a line, what makes images others.
  private static func identity(of images: [ImageTarget], in workspace: FilePath) -> [String] {
    [workspace.string] + images.map { "\($0.name) \($0.label) \($0.key)" }.sorted()
  }

  /// Files and directories that no query reports, whether they are there or not.
  private static func others(_ index: TargetIndex) -> [String] {
    let known = [".bazelversion", ".bazelignore", "MODULE.bazel.lock", "tools/bazel"]
    let inputs = index.inputs
    return inputs.files.union(inputs.listings).union(inputs.trees).union(known)
      .filter { !$0.hasPrefix("@") }.sorted()
  }
}
