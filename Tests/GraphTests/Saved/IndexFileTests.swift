import Basics
import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing
import Watcher

/// A workspace of one package on disk, its index saved; what the next start makes of it.
@Suite struct IndexFileTests {
  private let directory: TemporaryDirectory
  private let file: IndexFile
  private let root: FilePath
  private let images: [ImageTarget]
  private let index: TargetIndex

  init() throws {
    directory = try TemporaryDirectory()
    root = try directory.makeDirectory("w")
    file = IndexFile(directory.appending("index"))
    for name in ["WORKSPACE", "app/BUILD", "app/defs.bzl", "app/src/a.txt", "app/src/README"] {
      try directory.write("first", to: "w/\(name)")
    }
    images = [
      ImageTarget(
        name: "app", label: try #require(Label("//app:image")), key: BatchKey(workspace: root))
    ]
    var builder = TargetIndex.Builder(workspace: root)
    builder.add(.rule(name: "//app:image", kind: "image", inputs: ["//app:src/a.txt"]))
    builder.add(.sourceFile(name: "//app:BUILD", loads: ["//app:defs.bzl"]))
    builder.add(.sourceFile(name: "//app:src/a.txt", loads: []))
    index = builder.build(images: images, workspaceFiles: ["WORKSPACE"])
  }

  /// As if all files were old when the query began.
  private func save(owed: Set<String> = []) throws {
    try file.save(index, of: images, owed: owed, since: .infinity)
  }

  private func load() async throws -> IndexFile.Saved {
    try await file.load(root, images: images)
  }

  @Test func `without a change there is nothing to do`() async throws {
    try file.save(index, of: images, owed: [], since: .infinity)
    let saved = try await load()
    #expect(saved.changes == [])
    #expect(saved.owed == [])
    let change = FileChange(path: root.pushing("app/src/a.txt"), kind: .modified)
    #expect(saved.index.effect(of: change) == Effect(images: ["app"]))
    #expect(saved.index.fileCount == index.fileCount)
  }

  @Test(arguments: ["WORKSPACE", "app/BUILD", "app/defs.bzl", "app/src/a.txt"])
  func `a file written meanwhile is a change`(name: String) async throws {
    try save()
    try directory.write("second, longer", to: "w/\(name)")
    let changes = try await load().changes
    #expect(changes == [FileChange(path: root.pushing(FilePath(name)), kind: .modified)])
  }

  @Test func `a file that is gone is a change`() async throws {
    try save()
    unlink(root.pushing("app/src/a.txt").string)
    let changes = try await load().changes
    #expect(
      changes.contains(
        FileChange(path: root.pushing("app/src/a.txt"), kind: .deleted)))
  }

  @Test func `what came meanwhile is a change wherever a glob may look`() async throws {
    try save()
    try directory.write("new", to: "w/app/src/deep/b.txt")
    let saved = try await load()
    let path = root.pushing("app/src/deep/b.txt")
    #expect(saved.changes.contains(FileChange(path: path, kind: .created)))
    #expect(
      saved.index.effect(of: FileChange(path: path, kind: .created))
        == Effect(images: ["app"], isStale: true))
  }

  @Test func `beside a directory named BUILD a glob may look too`() async throws {
    try directory.makeDirectory("w/app/rpm/BUILD")
    try directory.makeDirectory("w/app/rpm/deep")
    try save()
    let path = try directory.write("new", to: "w/app/rpm/deep/b.txt")
    #expect(try await load().changes.contains(FileChange(path: path, kind: .created)))
  }

  @Test func `a file saved by renaming is no new file`() async throws {
    try save()
    try directory.write("second", to: "w/app/src/.a.swp")
    rename(root.pushing("app/src/.a.swp").string, root.pushing("app/src/a.txt").string)
    #expect(
      try await load().changes
        == [FileChange(path: root.pushing("app/src/a.txt"), kind: .modified)])
  }

  @Test func `a new workspace file is a change`() async throws {
    try save()
    try directory.write("4.2.3", to: "w/.bazelversion")
    #expect(
      try await load().changes
        == [FileChange(path: root.appending(".bazelversion"), kind: .created)])
  }

  @Test func `what rules that make repositories have read is a change, wherever it lies`()
    async throws
  {
    let outside = try directory.write("1", to: "outside.lock")
    try directory.write("1", to: "w/patches/deep/a.patch")
    try directory.write("1", to: "w/list/a")
    var index = index
    index.inputs = RepositoryInputs(
      files: [outside.string, "later.lock"], listings: ["list"], trees: ["patches"])
    index.outputBase = "/base"
    try file.save(index, of: images, owed: [], since: .infinity)
    let saved = try await load()
    #expect(saved.changes == [])
    #expect(saved.index.inputs == index.inputs)
    #expect(saved.index.outputBase == "/base")
    // Of a listing only the names count.
    try directory.write("2, longer", to: "w/list/a")
    #expect(try await load().changes == [])
    try directory.write("2, longer", to: "outside.lock")
    try directory.write("2, longer", to: "w/patches/deep/a.patch")
    try directory.write("1", to: "w/list/b")
    try directory.write("1", to: "w/later.lock")
    let changes = try await load().changes
    #expect(
      Set(changes) == [
        FileChange(path: outside, kind: .modified),
        FileChange(path: root.appending("patches"), kind: .modified),
        FileChange(path: root.appending("list"), kind: .modified),
        FileChange(path: root.appending("later.lock"), kind: .created),
      ])
    #expect(changes.allSatisfy { saved.index.effect(of: $0).isStale })
  }

  @Test func `a file that changed while the query ran is not trusted`() async throws {
    try file.save(index, of: images, owed: [], since: 0)
    let saved = try await load()
    #expect(saved.owed == ["app"])
    #expect(saved.changes.contains { $0.path == root.pushing("app/BUILD") })
  }

  @Test func `what was owed is owed`() async throws {
    try save(owed: ["app"])
    #expect(try await load().owed == ["app"])
  }

  // MARK: Refusals

  @Test func `other images are refused`() async throws {
    try save()
    var other = images
    other[0].key = BatchKey(workspace: root, options: ["-c", "opt"])
    await #expect(throws: IndexFile.Refusal.otherImages) {
      try await file.load(root, images: other)
    }
  }

  @Test func `no file is no index`() async throws {
    await #expect(throws: IndexFile.Refusal.absent) { try await load() }
  }

  @Test func `a damaged file is refused wherever it is damaged`() async throws {
    try save()
    let path = directory.appending("index")
    let good = try read(path)
    for position in stride(from: 0, to: good.count, by: 7) {
      var bad = good
      bad[position] ^= 0x40
      try write(bad, path)
      await #expect(throws: IndexFile.Refusal.self, "byte \(position)") { try await load() }
    }
    for length in [0, 1, 19, 20, good.count / 2, good.count - 1] {
      try write(Array(good[..<length]), path)
      await #expect(throws: IndexFile.Refusal.self, "\(length) bytes") { try await load() }
    }
  }

  @Test func `what lies in the file's place is refused without waiting for it or reading it`()
    async throws
  {
    let path = directory.appending("index")
    try #require(mkfifo(path.string, 0o600) == 0)
    let pipe = UntrustedFile(path: path, reason: .notAFile)
    await #expect(throws: IndexFile.Refusal.untrusted(pipe)) { try await load() }
    unlink(path.string)
    try save()
    try #require(truncate(path.string, 3 << 30) == 0)
    await #expect(throws: IndexFile.Refusal.foreign) { try await load() }
  }

  @Test func `saving writes through no link`() async throws {
    let other = try directory.write("mine", to: "other")
    try #require(symlink(other.string, directory.appending("index").string) == 0)
    try save()
    #expect(SmallFile.text(of: other, limit: 10) == "mine")
    #expect(try await load().changes == [])
  }

  private func read(_ path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }

  private func write(_ bytes: [UInt8], _ path: FilePath) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: .truncate)
    try file.closeAfter { _ = try file.writeAll(bytes) }
  }
}
