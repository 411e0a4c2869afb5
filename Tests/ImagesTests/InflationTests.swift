import SystemPackage
import TestSupport
import Testing

@testable import Images

@Suite struct InflationTests {
  private static let text = TestImage.filling(700_000, seed: "inflation")

  private func packed(_ bytes: [UInt8]) async throws -> [UInt8] {
    try await withScratchDirectory { directory in
      let file = directory.appending("file")
      try file.write(bytes)
      try Tool.run("gzip", ["-n", file.string])
      return try directory.appending("file.gz").read()
    }
  }

  private func digest(_ bytes: [UInt8], inPiecesOf count: Int) throws -> Digest {
    let unpacked = UnpackedDigest()
    var start = 0
    while start < bytes.count {
      let end = min(start + count, bytes.count)
      try unpacked.add(Array(bytes[start..<end]))
      start = end
    }
    return try unpacked.finish()
  }

  @Test(arguments: [1000, 65_536, 1 << 20])
  func `what was packed is what comes out, in whatever pieces it goes in`(count: Int) async throws {
    let bytes = try await packed(Self.text)
    #expect(try digest(bytes, inPiecesOf: count) == Digest(of: Self.text))
  }

  @Test func `several packed files one behind another are one, and zeros behind them nothing`()
    async throws
  {
    let parts = [Self.text, [], Array("end".utf8)]
    var bytes: [UInt8] = []
    for part in parts { bytes += try await packed(part) }
    let whole = Digest(of: parts.joined())
    #expect(try digest(bytes, inPiecesOf: 7) == whole)
    #expect(try digest(bytes + [UInt8](repeating: 0, count: 300), inPiecesOf: 100) == whole)
  }

  @Test func `bytes that end too early, are changed or are no gzip have no digest`() async throws {
    let bytes = try await packed(Self.text)
    #expect(throws: Inflation.Damaged.self) {
      try digest(Array(bytes.dropLast(1)), inPiecesOf: 1000)
    }
    var changed = bytes
    changed[bytes.count - 6] ^= 1
    #expect(throws: Inflation.Damaged.self) { try digest(changed, inPiecesOf: 1000) }
    #expect(throws: Inflation.Damaged.self) { try digest(bytes + [1, 2, 3], inPiecesOf: 1000) }
    #expect(throws: Inflation.Damaged.self) { try digest([1, 2, 3], inPiecesOf: 1000) }
    #expect(throws: Inflation.Damaged.self) { try digest([], inPiecesOf: 1000) }
  }
}
