import Graph
import Testing

@testable import Bazel

struct QueryStreamTests {
  /// What Bazel 4.2.3 wrote for `deps(//b:t1) union buildfiles(…)`, shortened.
  static let answer: [UInt8] =
    message(2, rule("//b:t1", "genrule", inputs: ["//b:in.txt", "@bazel_tools//tools:setup.sh"]))
    + message(3, field(1, "//b:in.txt") + field(5, "//visibility:private"))
    + message(4, field(1, "//b:t1.tar") + field(2, "//b:t1"))
    + message(3, field(1, "//b:BUILD") + field(3, "//x:a.bzl") + field(3, "//x:b.bzl") + [0x48, 1])

  private static let entries: [QueryEntry] = [
    .rule(name: "//b:t1", kind: "genrule", inputs: ["//b:in.txt", "@bazel_tools//tools:setup.sh"]),
    .sourceFile(name: "//b:in.txt", loads: []),
    .generatedFile(name: "//b:t1.tar", rule: "//b:t1"),
    .sourceFile(name: "//b:BUILD", loads: ["//x:a.bzl", "//x:b.bzl"]),
  ]

  @Test func `targets are read`() throws {
    var stream = QueryStream()
    #expect(try stream.add(Self.answer).map(\.entry) == Self.entries)
    #expect(stream.isAtEnd)
  }

  @Test(arguments: [1, 2, 3, 7, 64])
  func `targets are read whatever the pieces are`(size: Int) throws {
    var stream = QueryStream()
    var entries: [QueryEntry] = []
    for start in stride(from: 0, to: Self.answer.count, by: size) {
      let piece = Self.answer[start..<min(start + size, Self.answer.count)]
      entries += try stream.add(Array(piece)).map(\.entry)
    }
    #expect(entries == Self.entries)
    #expect(stream.isAtEnd)
  }

  @Test func `tags are read where they were asked for`() throws {
    let tags = Self.field(1, "tags") + [0x10, 5] + Self.field(6, "manual") + Self.field(6, "x")
    let other = Self.field(1, "outs") + Self.field(6, "y")
    var stream = QueryStream()
    let targets = try stream.add(
      Self.message(
        2, Self.rule("//a:b", "oci_load", inputs: []) + Self.field(4, tags) + Self.field(4, other)))
    #expect(targets.map { $0.attributes["tags"] } == [["manual", "x"]])
  }

  @Test(arguments: [("//b:Ã©.txt", "//b:é.txt"), ("//b:é.txt", "//b:é.txt"), ("//b:日", "//b:日")])
  func `a name that Bazel encoded twice is decoded twice`(written: String, meant: String) throws {
    var stream = QueryStream()
    let targets = try stream.add(Self.message(3, Self.field(1, written)))
    #expect(targets.map(\.entry) == [.sourceFile(name: meant, loads: [])])
  }

  @Test func `a package group is passed over`() throws {
    var stream = QueryStream()
    #expect(try stream.add(Self.message(5, Self.field(1, "//a:group"))) == [])
    #expect(stream.isAtEnd)
  }

  @Test func `a target cut short is not at its end`() throws {
    var stream = QueryStream()
    _ = try stream.add(Self.answer.dropLast())
    #expect(!stream.isAtEnd)
  }

  @Test(arguments: [
    Array("ERROR: this is a text, and not a short one at that\n".utf8),
    Array(repeating: UInt8(0xff), count: 12),
    [4, 0x12, 0x09, 0x0a, 0x01],
    [2, 0x13, 0x00],
  ])
  func `what is no stream of targets is refused`(bytes: [UInt8]) {
    var stream = QueryStream()
    #expect(throws: QueryStream.Malformed.self) {
      _ = try stream.add(bytes + bytes + bytes)
    }
  }

  @Test(arguments: [
    ("//a:b", "//a:b"), ("@ext//:x", "@ext//:x"), ("//a:b+c", "\"//a:b+c\""),
    ("//a:b c", "\"//a:b c\""), ("//a:b\"c", "'//a:b\"c'"),
  ])
  func `labels are quoted where the query language needs it`(label: String, quoted: String) {
    #expect(QueryWord.quoted(label) == quoted)
  }

  private static func field(_ number: UInt8, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + length(bytes.count) + bytes
  }

  private static func length(_ count: Int) -> [UInt8] {
    count < 0x80 ? [UInt8(count)] : [UInt8(count & 0x7f) | 0x80, UInt8(count >> 7)]
  }

  private static func rule(_ name: String, _ kind: String, inputs: [String]) -> [UInt8] {
    field(1, name) + field(2, kind) + inputs.flatMap { field(5, $0) } + field(6, "//b:out")
  }

  /// A `Target` with its length before it.
  private static func message(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    let target = [0x08, number - 1] + field(number, content)
    return length(target.count) + target
  }
}
