/// Labels by number and numbers by label: all text in one array, and a hash table over it.
struct LabelTable: Sendable, Equatable {
  typealias Text = UnsafeBufferPointer<UInt8>

  private(set) var text: [UInt8] = []
  /// Where each label starts in `text`; one more than there are labels.
  private(set) var starts: [UInt32] = [0]
  /// A label's number plus one by its hash, open addressing; a power of two, at most half full.
  private(set) var slots: [UInt32] = [UInt32](repeating: 0, count: 64)

  init() {}

  /// - Returns: `nil` when the arrays are not those of a table.
  init?(text: [UInt8], starts: [UInt32], slots: [UInt32]) {
    guard starts.first == 0, starts.last.map(Int.init) == text.count,
      zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }),
      slots.count.nonzeroBitCount == 1, slots.count >= 2 * (starts.count - 1),
      slots.allSatisfy({ $0 < starts.count }), slots.contains(0)
    else { return nil }
    self.text = text
    self.starts = starts
    self.slots = slots
  }

  var count: Int { starts.count - 1 }

  func bytes(_ node: TargetIndex.Node) -> ArraySlice<UInt8> {
    text[Int(starts[Int(node)])..<Int(starts[Int(node) + 1])]
  }

  subscript(node: TargetIndex.Node) -> String { String(decoding: bytes(node), as: UTF8.self) }

  func node(_ label: Text) -> TargetIndex.Node? {
    let found = slots[slot(of: label)]
    return found == 0 ? nil : TargetIndex.Node(found) - 1
  }

  func node(_ label: [UInt8]) -> TargetIndex.Node? {
    label.withUnsafeBufferPointer { node($0) }
  }

  func node(_ label: String) -> TargetIndex.Node? {
    var label = label
    return label.withUTF8 { node($0) }
  }

  /// The label's number; of a label in another repository all that have its package and name, where
  /// that repository has another name here.
  func nodes(called label: Label) -> [TargetIndex.Node] {
    if let known = node(label.description) { return [known] }
    guard !label.repository.isEmpty else { return [] }
    let name = Array("//\(label.package):\(label.name)".utf8)
    return (0..<TargetIndex.Node(count)).filter { node in
      let bytes = self.bytes(node)
      return bytes.first == UInt8(ascii: "@") && bytes.suffix(name.count).elementsEqual(name)
        && LabelParts(bytes)?.packageBytes.elementsEqual(label.package.utf8) == true
    }
  }

  /// The label's number, given to it now if it has none.
  mutating func insert(_ label: Text) -> TargetIndex.Node {
    let slot = slot(of: label)
    guard slots[slot] == 0 else { return TargetIndex.Node(slots[slot]) - 1 }
    let node = TargetIndex.Node(count)
    text.append(contentsOf: label)
    starts.append(UInt32(text.count))
    slots[slot] = UInt32(count)
    if 2 * count > slots.count { grow() }
    return node
  }

  /// Where the label is, or the free slot where it belongs.
  private func slot(of label: Text) -> Int {
    let mask = slots.count - 1
    var slot = Self.hash(label) & mask
    while slots[slot] != 0, !isEqual(slots[slot] - 1, label) { slot = (slot + 1) & mask }
    return slot
  }

  private func isEqual(_ node: UInt32, _ label: Text) -> Bool {
    let (start, end) = (Int(starts[Int(node)]), Int(starts[Int(node) + 1]))
    guard end - start == label.count else { return false }
    return text.withUnsafeBufferPointer { text in
      // From the end, where labels of one package differ.
      var position = label.count - 1
      while position >= 0 {
        guard text[start + position] == label[position] else { return false }
        position -= 1
      }
      return true
    }
  }

  private mutating func grow() {
    var larger = [UInt32](repeating: 0, count: slots.count * 4)
    let mask = larger.count - 1
    text.withUnsafeBufferPointer { text in
      for node in 0..<count {
        let label = Text(rebasing: text[Int(starts[node])..<Int(starts[node + 1])])
        var slot = Self.hash(label) & mask
        while larger[slot] != 0 { slot = (slot + 1) & mask }
        larger[slot] = UInt32(node + 1)
      }
    }
    slots = larger
  }

  /// FNV-1a: the same in every run, so that the table can be kept on disk.
  /// Source: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(_ label: Text) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in label { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ (hash >> 32)) & Int.max
  }
}
