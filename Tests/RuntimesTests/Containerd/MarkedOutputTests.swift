import Testing

@testable import Runtimes

@Suite struct MarkedOutputTests {
  /// Every way to cut it: the mark may come in two pieces.
  @Test func `an answer ends with the line of its mark`() {
    let whole = Array("some\nlines\n\nmark 7\nlate".utf8)
    for cut in 0...whole.count {
      for other in cut...whole.count {
        var output = MarkedOutput(mark: "mark")
        output.append(Array(whole[..<cut]))
        output.append(Array(whole[cut..<other]))
        output.append(Array(whole[other...]))
        #expect(output.said == "7")
        #expect(output.take() == "some\nlines\n")
        #expect(output.said == nil)
      }
    }
  }

  @Test func `without its line it has not ended`() {
    var output = MarkedOutput(mark: "mark")
    output.append(Array("a\n mark\n\nmark 1".utf8))
    #expect(output.said == nil)
    #expect(output.text == "a\n mark\n\nmark 1")
    output.append([10])
    #expect(output.said == "1")
  }

  @Test func `of too much the beginning is kept, and the end seen`() {
    var output = MarkedOutput(mark: "mark")
    let piece = [UInt8](repeating: 120, count: 1 << 20)
    for _ in 0..<20 { output.append(piece) }
    output.append(Array("\nmar".utf8))
    output.append(Array("k\n".utf8))
    #expect(output.said == "")
    #expect(output.take().utf8.count == MarkedOutput.limit)
  }
}
