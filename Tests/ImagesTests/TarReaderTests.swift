import SystemPackage
import TestSupport
import Testing

@testable import Images

@Suite struct TarReaderTests {
  private struct Found: Equatable {
    var name: String
    var content: [UInt8]
  }

  private func members(of bytes: [UInt8]) async throws -> [Found] {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(bytes)
      guard case .file(let file) = try ArchiveFile.open(path) else { return [] }
      var reader = TarReader(file)
      var found: [Found] = []
      while let member = try reader.next() {
        let content = try file.bytes(at: member.offset, count: Int(member.size))
        found.append(Found(name: member.displayName, content: content))
      }
      return found
    }
  }

  @Test func `members are found with their content, whatever lies between`() async throws {
    var tar = TarBuilder()
    tar.add("folder/", typeflag: "5")
    tar.add("a", Array("alpha".utf8))
    tar.add("empty")
    tar.add("b", [UInt8](repeating: 7, count: 512))
    tar.add("c", [UInt8](repeating: 8, count: 513))
    #expect(
      try await members(of: tar.finished()).map(\.name) == ["folder/", "a", "empty", "b", "c"])
    #expect(try await members(of: tar.finished())[4].content == [UInt8](repeating: 8, count: 513))
  }

  @Test func `a name in two fields is joined`() async throws {
    var tar = TarBuilder()
    tar.add("layer.tar", Array("x".utf8), prefix: "deep/folder")
    #expect(try await members(of: tar.finished()).map(\.name) == ["deep/folder/layer.tar"])
  }

  @Test func `a long name as GNU tar writes it is read`() async throws {
    let name = String(repeating: "folder/", count: 30) + "layer.tar"
    var tar = TarBuilder()
    tar.addWithGNUName(name, Array("x".utf8))
    tar.add("next")
    #expect(try await members(of: tar.finished()).map(\.name) == [name, "next"])
  }

  @Test func `a PAX path and size override the header's`() async throws {
    let name = "läyer/" + String(repeating: "x", count: 200)
    var tar = TarBuilder()
    tar.addWithPAX(
      [("mtime", "1.5"), ("path", name), ("size", "3")], "short", Array("abc".utf8), size: 0)
    tar.add("next")
    #expect(
      try await members(of: tar.finished()) == [
        Found(name: name, content: Array("abc".utf8)), Found(name: "next", content: []),
      ])
  }

  @Test func `a size in base 256 is read`() async throws {
    var tar = TarBuilder()
    tar.add("big", Array("abc".utf8), sizeField: [0x80] + [UInt8](repeating: 0, count: 10) + [3])
    #expect(
      try await members(of: tar.finished()) == [Found(name: "big", content: Array("abc".utf8))])
  }

  @Test func `a missing mark at the end is forgiven`() async throws {
    var tar = TarBuilder()
    tar.add("a", Array("alpha".utf8))
    #expect(try await members(of: tar.bytes).map(\.name) == ["a"])
    #expect(try await members(of: tar.bytes.dropLast(507)).map(\.name) == ["a"])
  }

  /// Named by what is wrong: its bytes are megabytes.
  struct Broken: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var bytes: [UInt8]
    var expected: TarError

    init(_ what: String, _ bytes: [UInt8], _ expected: TarError) {
      (testDescription, self.bytes, self.expected) = (what, bytes, expected)
    }
  }

  static let broken: [Broken] = {
    var sound = TarBuilder()
    sound.add("a", Array("alpha".utf8))
    var damaged = sound
    damaged.append([UInt8](repeating: 0x41, count: 512))
    var lone = sound
    lone.append([UInt8](repeating: 0, count: 512))
    lone.add("b")
    var claims = TarBuilder()
    claims.add("layer.tar", Array("x".utf8), size: 100_000)
    var absurd = TarBuilder()
    absurd.add(
      "layer.tar", sizeField: [0x80, 0, 0, 0] + [0x7F] + [UInt8](repeating: 0xFF, count: 7))
    var negative = sound
    negative.add("layer.tar", sizeField: [UInt8](repeating: 0xFF, count: 12))
    var overflowing = sound
    overflowing.add("layer.tar", sizeField: [0x80] + [UInt8](repeating: 0xFF, count: 11))
    var sparse = TarBuilder()
    sparse.add("layer.tar", typeflag: "S")
    var paxSparse = TarBuilder()
    paxSparse.addWithPAX([("GNU.sparse.major", "1")], "layer.tar", [])
    var paxNonsense = TarBuilder()
    paxNonsense.add("x", Array("999 path=a\n".utf8), typeflag: "x")
    var longName = TarBuilder()
    longName.add("././@LongLink", [UInt8](repeating: 0x61, count: 2 << 20), typeflag: "L")
    var cutName = TarBuilder()
    cutName.add("././@LongLink", Array("name\0".utf8), typeflag: "L")
    return [
      Broken("text", Array("hello, this is no tar\n".utf8), .notTar),
      Broken("long text", Array(String(repeating: "no tar ", count: 200).utf8), .notTar),
      Broken("gzip", [0x1F, 0x8B, 8] + [UInt8](repeating: 1, count: 600), .compressed("gzip")),
      Broken("zstd", [0x28, 0xB5, 0x2F, 0xFD], .compressed("zstd")),
      Broken("a damaged header", damaged.finished(), .damagedHeader(offset: 1024)),
      Broken("a lone zero block", lone.finished(), .damagedHeader(offset: 1024)),
      Broken("half a header", sound.bytes + [1, 2, 3], .truncated(member: nil)),
      Broken("a size beyond the end", claims.bytes, .truncated(member: "layer.tar")),
      Broken("an absurd size", absurd.finished(), .truncated(member: "layer.tar")),
      Broken("a negative size", negative.finished(), .damagedHeader(offset: 1024)),
      Broken("a size beyond 63 bits", overflowing.finished(), .damagedHeader(offset: 1024)),
      Broken("a GNU sparse member", sparse.finished(), .sparse(member: "layer.tar")),
      Broken("a PAX sparse member", paxSparse.finished(), .sparse(member: "layer.tar")),
      Broken("PAX nonsense", paxNonsense.finished(), .damagedHeader(offset: 0)),
      Broken(
        "a name of megabytes", longName.finished(), .oversizedHeader(offset: 0, size: 2 << 20)),
      Broken("a name without its member", cutName.finished(), .truncated(member: nil)),
    ]
  }()

  @Test(arguments: broken)
  func `a broken tar is refused`(_ broken: Broken) async throws {
    await #expect(throws: broken.expected) { try await members(of: broken.bytes) }
  }

  @Test func `every cut of a tar is refused or read, and never crashes`() async throws {
    let whole = TestImage(layers: [TestImage.layer("a", "alpha")]).dockerArchive()
    for end in stride(from: 0, to: whole.count, by: 97) {
      do {
        _ = try await members(of: Array(whole[..<end]))
      } catch is TarError {
        continue
      }
    }
  }
}
