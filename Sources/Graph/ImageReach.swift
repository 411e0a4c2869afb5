/// The images that each rule and generated file reaches: a row of bits, one an image.
///
/// Made once with the index, so that a change of a file needs no walk of the graph.
struct ImageReach: Sendable {
  private let wordsPerRow: Int
  /// By node; -1 for a file, which has what its readers have.
  private let rows: [Int32]
  private let bits: [UInt64]

  /// - Parameters:
  ///   - isFile: By node.
  ///   - readers: Of a node.
  ///   - images: The node of each image.
  init(
    isFile: [Bool], readers: (TargetIndex.Node) -> ArraySlice<TargetIndex.Node>,
    images: [TargetIndex.Node]
  ) {
    wordsPerRow = (images.count + 63) / 64
    var rows = [Int32](repeating: -1, count: isFile.count)
    var count: Int32 = 0
    for node in isFile.indices where !isFile[node] {
      rows[node] = count
      count += 1
    }
    // An image may be a plain file: a tar that is checked in.
    for node in images where rows[Int(node)] < 0 {
      rows[Int(node)] = count
      count += 1
    }
    var bits = [UInt64](repeating: 0, count: Int(count) * wordsPerRow)
    for (image, node) in images.enumerated() {
      bits[Int(rows[Int(node)]) * wordsPerRow + image / 64] |= 1 << UInt64(image % 64)
    }
    let order = Self.readersFirst(rows: rows, readers: readers)
    // Once is enough for Bazel's graphs, which have no cycles; one merged of two answers may.
    var isSettled = false
    while !isSettled {
      isSettled = true
      for node in order {
        let row = Int(rows[Int(node)]) * wordsPerRow
        for reader in readers(node) where rows[Int(reader)] >= 0 {
          let other = Int(rows[Int(reader)]) * wordsPerRow
          for word in 0..<wordsPerRow where bits[other + word] & ~bits[row + word] != 0 {
            bits[row + word] |= bits[other + word]
            isSettled = false
          }
        }
      }
    }
    self.rows = rows
    self.bits = bits
  }

  /// Adds the images of a node.
  ///
  /// - Returns: `false` when the node has no row of its own: it has what its readers have.
  func form(_ union: inout [UInt64], of node: TargetIndex.Node) -> Bool {
    guard rows[Int(node)] >= 0 else { return false }
    let row = Int(rows[Int(node)]) * wordsPerRow
    for word in 0..<wordsPerRow { union[word] |= bits[row + word] }
    return true
  }

  var empty: [UInt64] { [UInt64](repeating: 0, count: wordsPerRow) }

  /// An order in which readers come before what they read.
  private static func readersFirst(
    rows: [Int32], readers: (TargetIndex.Node) -> ArraySlice<TargetIndex.Node>
  ) -> [TargetIndex.Node] {
    var isSeen = [Bool](repeating: false, count: rows.count)
    var order: [TargetIndex.Node] = []
    var stack: [(node: TargetIndex.Node, rest: ArraySlice<TargetIndex.Node>)] = []
    for start in rows.indices where rows[start] >= 0 && !isSeen[start] {
      isSeen[start] = true
      stack.append((TargetIndex.Node(start), readers(TargetIndex.Node(start))))
      while !stack.isEmpty {
        let top = stack.count - 1
        guard let next = stack[top].rest.popFirst() else {
          order.append(stack[top].node)
          stack.removeLast()
          continue
        }
        guard rows[Int(next)] >= 0, !isSeen[Int(next)] else { continue }
        isSeen[Int(next)] = true
        stack.append((next, readers(next)))
      }
    }
    return order
  }
}
