package import Basics
package import FoundationEssentials
package import Images
import SystemPackage

/// A record of the images that we loaded, so that no others are ever removed.
///
/// A file of JSON Lines that is only appended to: what a crash cuts short is one line, which is
/// skipped. A load that was not written down is an image that is never removed.
package struct Ledger: Sendable {
  package struct Entry: Hashable, Sendable, Codable {
    /// As `--load` names it.
    package var runtime: String
    package var reference: String
    package var id: String
    /// Seconds since 1970.
    package var time: Int64
    /// It has been removed, or was found gone.
    package var isRemoved: Bool?

    package init(
      runtime: String, reference: String, id: String, time: Int64, isRemoved: Bool? = nil
    ) {
      self.runtime = runtime
      self.reference = reference
      self.id = id
      self.time = time
      self.isRemoved = isRemoved
    }
  }

  /// Beyond this the file is written anew, without what has been removed. In bytes.
  private static let sizeLimit = 4 << 20
  /// No ledger that we keep small gets so large. In bytes.
  private static let largestSize = 64 << 20

  private static let name = "loads.jsonl"

  private let directory: PrivateDirectory
  private let now: @Sendable () -> Date

  /// - Parameter directory: The ledger is the file `loads.jsonl` in it.
  package init(in directory: PrivateDirectory, now: @escaping @Sendable () -> Date) {
    self.directory = directory
    self.now = now
  }

  /// In which loads into a runtime, and removals from it, take turns.
  package func lane(of runtime: String) -> RuntimeLane { RuntimeLane(runtime, in: directory.path) }

  var seconds: Int64 { Int64(now().timeIntervalSince1970) }

  /// Writes down that a runtime took an image from us.
  package func loaded(
    _ id: Digest, as references: [ImageReference], into runtime: String
  ) async throws {
    let time = seconds
    try await append(
      references.map { reference in
        Entry(
          runtime: runtime, reference: reference.description, id: id.description, time: time)
      })
  }

  func append(_ entries: [Entry]) async throws {
    try await locked { directory in
      let descriptor = try directory.open(Self.name, .readWrite, options: [.create, .append])
      try descriptor.closeAfter {
        // What a crash left of a line must not swallow the next.
        var text: [UInt8] = try Self.endsInLine(descriptor) ? [] : [Self.newline]
        for entry in entries { Self.add(entry, to: &text) }
        _ = try descriptor.writeAll(text)
      }
    }
  }

  /// The loads that may still be there, in their order.
  package func entries() async throws -> [Entry] { try await locked { try Self.read(in: $0) } }

  /// Makes the file small again where it has grown large.
  func compact() async throws {
    try await locked { directory in
      guard try Self.content(in: directory).count > Self.sizeLimit else { return }
      var text: [UInt8] = []
      for entry in try Self.read(in: directory) { Self.add(entry, to: &text) }
      try directory.replace(Self.name, with: text)
    }
  }

  private static func read(in directory: OpenDirectory) throws -> [Entry] {
    let bytes = try content(in: directory)
    var entries: [Entry] = []
    for line in bytes.split(separator: newline) {
      guard let entry = entry(Array(line)) else { continue }
      if entry.isRemoved == true {
        entries.removeAll { $0.runtime == entry.runtime && $0.id == entry.id }
      } else {
        entries.append(entry)
      }
    }
    return entries
  }

  /// - Returns: `nil` for a line that was cut short: a load that nobody knows of.
  private static func entry(_ line: [UInt8]) -> Entry? {
    do throws(JSON.Malformed) {
      return try JSON.decode(Entry.self, from: line)
    } catch {
      return nil
    }
  }

  private static let newline = UInt8(ascii: "\n")

  private static func add(_ entry: Entry, to text: inout [UInt8]) {
    text += JSON.encode(entry)
    text.append(newline)
  }

  /// Nothing before the first load.
  private static func content(in directory: OpenDirectory) throws -> [UInt8] {
    try directory.read(name, limit: largestSize) ?? []
  }

  private static func endsInLine(_ descriptor: FileDescriptor) throws -> Bool {
    let size = try descriptor.stat().size
    guard size > 0 else { return true }
    let last = try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { buffer in
      try descriptor.read(fromAbsoluteOffset: size - 1, into: buffer) == 1 ? buffer[0] : 0
    }
    return last == newline
  }

  /// One process at a time, and one task; the lock is on the directory and leaves nothing behind.
  private func locked<Value>(_ body: (OpenDirectory) throws -> Value) async throws -> Value {
    try await DirectoryLock.locked(directory.open(), body)
  }
}
