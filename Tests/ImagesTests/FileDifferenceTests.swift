import SystemPackage
import TestSupport
import Testing

@testable import Images

@Suite struct FileDifferenceTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A layer of files by path; `DIR/` is a directory, `a -> b` a link, `a = b` another name of `b`.
  private static func layer(_ entries: KeyValuePairs<String, String>, mode: Int = 0o644) -> [UInt8]
  {
    var tar = TarBuilder()
    for (name, content) in entries {
      if name.hasSuffix("/") {
        tar.add(name, typeflag: "5", mode: 0o755)
      } else if content.hasPrefix("-> ") {
        tar.add(name, typeflag: "2", link: String(content.dropFirst(3)))
      } else if content.hasPrefix("= ") {
        tar.add(name, typeflag: "1", link: String(content.dropFirst(2)))
      } else {
        tar.add(name, Array(content.utf8), mode: mode)
      }
    }
    return tar.finished()
  }

  private static let base = layer(["etc/": "", "etc/base": "b", "bin": "-> usr/bin"])

  private func archive(_ layers: [[UInt8]], command: String = "/app") throws -> ImageArchive {
    var image = TestImage(layers: [Self.base] + layers)
    image.command = [command]
    let file = directory.appending("\(image.id.hexadecimal).tar")
    try file.write(image.dockerArchive())
    return try ImageArchive.open(file)
  }

  private func files(_ layers: [UInt8]..., command: String = "/app") throws -> ImageFiles {
    ImageFiles(try archive(layers, command: command), memory: LayerMemory())
  }

  @Test func `changed, new and removed files are told, in all layers above the shared ones`() throws
  {
    let old = try files(
      Self.layer(["app/": "", "app/a": "1", "app/b": "1", "app/same": "s"]),
      Self.layer(["top": "1"]))
    let new = try files(
      Self.layer(["app/": "", "app/a": "2", "app/c": "3", "app/same": "s"]),
      Self.layer(["top": "1"]))
    let difference = try #require(FileDifference(from: old, to: new))
    // The directory's own time has changed with its files.
    #expect(difference.written == ["app", "app/a", "app/c"])
    #expect(difference.removed == ["app/b"])
    #expect(difference.removedDirectories == [])
    #expect(
      difference.contents == [
        "app/a": Digest(of: Array("2".utf8)), "app/c": Digest(of: Array("3".utf8)),
      ])
    #expect(difference.fileCount == 3)
    #expect(FileDifference(from: new, to: new)?.isEmpty == true)
  }

  @Test func `a mode and a link are a difference; directories go from the deepest up`() throws {
    let old = try files(
      Self.layer(["a/": "", "a/b/": "", "a/b/c": "1", "l": "-> x", "m": "1"]))
    let new = try files(Self.layer(["l": "-> y"]), Self.layer(["m": "1"], mode: 0o755))
    let difference = try #require(FileDifference(from: old, to: new))
    #expect(difference.written == ["l", "m"])
    #expect(difference.removed == ["a/b/c"])
    #expect(difference.removedDirectories == ["a/b", "a"])
  }

  @Test func `another name of a file goes with it`() throws {
    let old = try files(Self.layer(["a": "1", "b": "= a", "c": "1"]))
    let new = try files(Self.layer(["a": "2", "b": "= a", "c": "1"]))
    #expect(FileDifference(from: old, to: new)?.written == ["a", "b"])
  }

  @Test func `the tar holds the entries that are written, and no others`() throws {
    let old = try files(Self.layer(["app/": "", "app/a": "1", "app/b": "1"]))
    let layers = [Self.layer(["app/": "", "app/a": "2", "app/b": "1"])]
    let new = try archive(layers)
    let difference = try #require(
      FileDifference(from: old, to: ImageFiles(new, memory: LayerMemory())))
    let tar = try #require(new.tar(of: difference))
    #expect(tar == Self.layer(["app/": "", "app/a": "2"]))
    #expect(ImageArchive.contents(ofTar: tar) == ["a": Digest(of: Array("2".utf8))])
  }

  @Test func `layers packed by gzip, long names and PAX records are read`() throws {
    let long = String(repeating: "d/", count: 70) + "file"
    var tar = TarBuilder()
    tar.addWithGNUName(long, Array("1".utf8))
    tar.addWithPAX([("path", "päx/\(long)")], "short", Array("2".utf8))
    let image = TestImage(layers: [tar.finished()])
    let file = directory.appending("long.tar")
    var packed = image
    try directory.appending("layer").write(image.layers[0])
    try Tool.run("gzip", ["-k", directory.appending("layer").string])
    packed.stored = [0: try directory.appending("layer.gz").read()]
    for image in [image, packed] {
      try file.write(image.dockerArchive())
      let layer = try #require(try ImageArchive.open(file).layers.first)
      #expect(layer.files()?.entries.keys.sorted() == [long, "päx/\(long)"])
      #expect(layer.files()?.entries[long]?.content == Digest(of: Array("1".utf8)))
    }
  }

  private static let doubts: [(String, [UInt8], [UInt8])] = [
    ("a removed file that a shared layer has", layer(["etc/base": "mine"]), layer(["x": ""])),
    ("a directory in a file's place", layer(["a": "1"]), layer(["a/": ""])),
    ("another whiteout", layer([".wh.bin": ""]), layer(["x": "1"])),
    ("a file behind a link", layer(["x": "1"]), layer(["x": "1", "bin/tool": "1"])),
    ("a name that leaves the root", layer(["x": "1"]), layer(["../x": "1"])),
    ("a damaged tar", layer(["x": "1"]), Array(layer(["x": "1"]).prefix(700))),
  ]

  @Test(arguments: doubts.indices)
  func `where there is a doubt there is no difference to write`(index: Int) throws {
    let (what, old, new) = Self.doubts[index]
    let (before, after) = (try files(old), try files(new))
    #expect(FileDifference(from: before, to: after) == nil, "\(what)")
  }

  @Test func `nor where more than files differs`() throws {
    let layer = Self.layer(["x": "1"])
    let (old, new) = (try files(layer), try files(layer, command: "/other"))
    #expect(FileDifference(from: old, to: new) == nil)
  }
}
