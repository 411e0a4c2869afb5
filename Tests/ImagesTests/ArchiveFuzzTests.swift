import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Archives with bytes changed, cut, doubled and moved about: none may crash us, make us hang or use
/// much memory, and what is sent on is whole or ends in an error.
@Suite struct ArchiveFuzzTests {
  private static let cases = 10_000

  /// SplitMix64: the same cases for the same seed, on every machine.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let seeds: [[UInt8]] = {
    let image = TestImage(layers: [TestImage.layer("a", "below"), TestImage.layer("b", "above")])
    var foreign = image
    foreign.architecture = "s390x"
    var long = TarBuilder()
    long.addWithGNUName(String(repeating: "n/", count: 80) + "x", [1])
    long.addWithPAX([("path", "config.json")], "c", image.config)
    long.append(image.dockerArchive())
    return [
      image.dockerArchive(), TestImage.ociArchive([image]),
      TestImage.ociArchive([foreign, image], hasPlatforms: true), long.bytes,
    ]
  }()

  /// What numbers and names in headers are most likely misread at.
  private static let words: [[UInt8]] = [
    Array("77777777777\0".utf8), [0x80] + [UInt8](repeating: 0xFF, count: 11),
    [UInt8](repeating: 0xFF, count: 12), Array("../../etc/passwd\0".utf8), Array("/etc\0".utf8),
    Array("sha256:".utf8), Array("null".utf8), Array("[]".utf8), Array("9999999999999999999".utf8),
    Array("-1".utf8), [0], Array("{\"".utf8), [0xC0, 0xAF],
  ]

  private static func mutated(_ generator: inout Generator) -> [UInt8] {
    var bytes = seeds[Int(generator.next() % UInt64(seeds.count))]
    func position(_ generator: inout Generator) -> Int {
      Int(generator.next() % UInt64(max(bytes.count, 1)))
    }
    var headers: Set<Int> = []
    for _ in 0..<(1 + generator.next() % 4) where !bytes.isEmpty {
      let at = position(&generator)
      switch generator.next() % 8 {
      case 0...2: bytes[at] = UInt8(truncatingIfNeeded: generator.next())
      case 3: bytes[at] ^= 1 << UInt8(generator.next() % 8)
      case 4, 5:
        let word = words[Int(generator.next() % UInt64(words.count))]
        // Half of them where a header has its size, its name or its type.
        let fields = [0, 124, 156, 157, 345]
        let field = fields[Int(generator.next() % UInt64(fields.count))]
        let start = generator.next() % 2 == 0 ? at : at / 512 * 512 + field
        for (offset, byte) in word.enumerated() where start + offset < bytes.count {
          bytes[start + offset] = byte
        }
        headers.insert(start / 512)
      case 6: bytes.removeSubrange(at..<min(bytes.count, at + 512))
      default:
        let piece = bytes[at..<min(bytes.count, at + 1024)]
        bytes.insert(contentsOf: piece, at: position(&generator))
      }
    }
    // Half of the headers that were changed are made valid again, so that what they say is believed.
    for header in headers where generator.next() % 2 == 0 { repair(&bytes, header * 512) }
    if generator.next() % 16 == 0 { bytes.removeLast(position(&generator)) }
    return bytes
  }

  private static func repair(_ bytes: inout [UInt8], _ start: Int) {
    guard start + 512 <= bytes.count else { return }
    for index in 148..<156 { bytes[start + index] = 0x20 }
    let sum = bytes[start..<(start + 512)].reduce(0) { $0 + Int($1) }
    let digits = String(sum, radix: 8)
    let text = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    bytes.replaceSubrange((start + 148)..<(start + 156), with: Array(text.utf8) + [0, 0x20])
  }

  private static func memory() throws -> Int {
    let text = String(decoding: try FilePath("/proc/self/statm").readAll(), as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }

  @Test(.timeLimit(.minutes(15)))
  func `no archive, however broken, crashes us, hangs us, or is sent on as another`() async {
    let seed =
      getenv("WATCHBUILD_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) }
      ?? UInt64(Glibc.time(nil))
    print("fuzz: seed \(seed), \(Self.cases) cases")
    // In a process of its own, whose memory no other test uses.
    await #expect(processExitsWith: .success) { [seed = seed as UInt64] in
      try await ArchiveFuzzTests.fuzz(seed)
    }
  }

  static func fuzz(_ seed: UInt64) async throws {
    var generator = Generator(state: seed)
    var opened = 0
    let reference = try #require(ImageReference("lab/app:dev"))
    let before = try memory()
    // In memory: ext4 writes a file to the disk that is truncated and written anew.
    let path = FilePath("/dev/shm/wb-fuzz-\(getpid()).tar")
    defer { unlink(path.string) }
    do {
      for number in 0..<cases {
        let bytes = mutated(&generator)
        try path.write(bytes)
        do {
          let archive = try ImageArchive.open(path)
          opened += 1
          let place: Comment = "seed \(seed), case \(number)"
          #expect(archive.configDigest == Digest(of: archive.config), place)
          let stream = PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream
          var sent: [UInt8] = []
          for try await chunk in stream { sent += chunk }
          #expect(Int64(sent.count) == stream.length, place)
          // Whoever got to the end has every layer as the configuration says.
          try path.write(sent)
          let copy = try ImageArchive.open(path)
          #expect(copy.configDigest == archive.configDigest, place)
          for layer in copy.layers where layer.compression == .none {
            let digest = Digest(of: try layer.blob.read(at: 0, count: Int(layer.size)))
            #expect(digest == layer.diffID, place)
          }
        } catch is ImageArchiveError {
          // Refused, with file, member and reason.
        }
      }
    }
    let grown = try memory() - before
    // The archives themselves are a few kilobytes.
    #expect(grown < 64 << 20, "seed \(seed)")
    #expect(opened > 0)
  }
}

extension FilePath {
  /// A file whose size is not told.
  fileprivate func readAll() throws -> [UInt8] {
    let descriptor = try FileDescriptor.open(self, .readOnly)
    return try descriptor.closeAfter {
      try [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }
}
