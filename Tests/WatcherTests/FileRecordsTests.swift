import Testing

@testable import Watcher

@Suite struct FileRecordsTests {
  @Test func `what is inserted is found, and what is removed is not`() {
    var records = FileRecords()
    records.insert("a", Entry(seenAt: 1))
    records.insert("bb", Entry(flags: [.fingerprinted, .executable], value: .max))
    records["a"].map { records.remove(at: $0) }
    #expect(records["a"] == nil)
    #expect(
      records["bb"].map { records[$0] } == Entry(flags: [.fingerprinted, .executable], value: .max))
    #expect(records.count == 1)
  }

  /// As FUSE and SMB have them.
  @Test func `names of more than 255 bytes are kept as all others`() {
    var records = FileRecords()
    let names = [1, 255, 256, 257, 765, 4096].map { String(repeating: "n", count: $0) }
    for (number, name) in names.enumerated() {
      records.insert(name, Entry(flags: [], value: UInt64(number)))
    }
    records[names[1]].map { records.remove(at: $0) }
    records.compact()
    #expect(names.map { records[$0].map { records[$0].value } } == [0, nil, 2, 3, 4, 5])
  }

  /// Against a dictionary, over sizes with and without a hash index.
  @Test(arguments: [8, 64, 65, 3000])
  func `records answer as a dictionary does`(_ names: Int) {
    var generator = SeededGenerator(seed: UInt64(names))
    var records = FileRecords()
    var expected: [String: UInt64] = [:]
    for _ in 0..<names * 6 {
      let name = "name-\(Int.random(in: 0..<names, using: &generator))"
      if let offset = records[name] {
        if Bool.random(using: &generator) {
          records.remove(at: offset)
          expected[name] = nil
          if records.isWorthCompacting { records.compact() }
        } else {
          records[offset].value += 1
          expected[name, default: 0] += 1
        }
      } else {
        let value = UInt64.random(in: 0..<1000, using: &generator)
        records.insert(name, Entry(flags: [], value: value))
        expected[name] = value
      }
    }
    var found: [String: UInt64] = [:]
    records.forEach { offset, entry in
      found[records.withName(at: offset) { String(decoding: $0, as: UTF8.self) }] = entry.value
    }
    #expect(found == expected)
    #expect(records.count == expected.count)
    for number in 0..<names {
      let name = "name-\(number)"
      #expect(records[name].map { records[$0].value } == expected[name])
    }
  }
}

extension FileRecords {
  subscript(name: String) -> Int? {
    Array(name.utf8).withUnsafeBufferPointer { offset(of: $0) }
  }

  mutating func insert(_ name: String, _ entry: Entry) {
    _ = Array(name.utf8).withUnsafeBufferPointer { insert($0, entry) }
  }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var next = state
    next = (next ^ (next >> 30)) &* 0xBF58_476D_1CE4_E5B9
    next = (next ^ (next >> 27)) &* 0x94D0_49BB_1331_11EB
    return next ^ (next >> 31)
  }
}
