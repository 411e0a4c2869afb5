import Images
import SystemPackage
import TestSupport
import Testing

/// Every archive that is refused, and what its user reads.
@Suite struct BadArchiveTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var bytes: [UInt8]
    /// What follows the archive's path in the error.
    var message: String
  }

  private static let image = TestImage(
    layers: [TestImage.layer("base", "base"), TestImage.layer("app", "app")])

  private static func archive(
    manifest: String? = nil, config: [UInt8]? = image.config, layers: [String] = ["a", "b"],
    members: [String] = ["a", "b"], _ more: (inout TarBuilder) -> Void = { _ in }
  ) -> [UInt8] {
    var tar = TarBuilder()
    if let config { tar.add("config.json", config) }
    for (index, name) in members.enumerated() { tar.add(name, image.layers[index % 2]) }
    more(&tar)
    tar.add("manifest.json", Array((manifest ?? image.dockerManifest(layers: layers)).utf8))
    return tar.finished()
  }

  private static func layout(
    index: [UInt8]? = nil, without missing: [UInt8] = [], replacing: ([UInt8], with: [UInt8])? = nil
  ) -> [UInt8] {
    var tar = TarBuilder()
    tar.add("index.json", index ?? TestImage.ociIndex([image.ociDescriptor()]))
    for blob in image.blobs where blob != missing {
      let content = replacing?.0 == blob ? replacing?.with ?? blob : blob
      tar.add("blobs/sha256/\(Digest(of: blob).hexadecimal)", content)
    }
    return tar.finished()
  }

  private static let blobs = image.blobs.map { "blobs/sha256/\(Digest(of: $0).hexadecimal)" }

  static let cases: [Case] = [
    Case(
      testDescription: "an empty file", bytes: [],
      message: "no image: neither manifest.json nor index.json inside"),
    Case(
      testDescription: "no tar", bytes: Array("#!/bin/sh\n".utf8),
      message: "not a tar; name a target that makes"),
    Case(
      testDescription: "a gzipped whole", bytes: [0x1F, 0x8B] + [UInt8](repeating: 0, count: 600),
      message: "its gzip compression is damaged; build it again"),
    Case(
      testDescription: "a whole compressed by zstd",
      bytes: [0x28, 0xB5, 0x2F, 0xFD] + [UInt8](repeating: 0, count: 600),
      message: "the whole archive is compressed by zstd, which is not read here"),
    Case(
      testDescription: "truncated in a layer", bytes: Array(archive().prefix(4200)),
      message: "b: truncated: the file ends before its content does"),
    Case(
      testDescription: "a tar without a manifest", bytes: { archive() }().withoutManifest,
      message: "no image: neither manifest.json nor index.json inside"),
    Case(
      testDescription: "an empty list as manifest", bytes: archive(manifest: "[]"),
      message: "manifest.json: lists no image"),
    Case(
      testDescription: "null as manifest", bytes: archive(manifest: "null"),
      message: "manifest.json: lists no image"),
    Case(
      testDescription: "a manifest that is no JSON", bytes: archive(manifest: "[{oops"),
      message: "manifest.json: not the JSON expected: not valid JSON"),
    Case(
      testDescription: "a manifest without Config", bytes: archive(manifest: "[{\"Layers\":[]}]"),
      message: "manifest.json: not the JSON expected: [0]: 'Config' is missing"),
    Case(
      testDescription: "a manifest of very many images",
      bytes: archive(
        manifest: "["
          + Array(repeating: #"{"Config":"c","Layers":[]}"#, count: 290_000).joined(separator: ",")
          + "]"),
      message: "manifest.json: more than 50000 values: that is no image's"),
    Case(
      testDescription: "a missing configuration", bytes: archive(config: nil),
      message: "config.json: named by the manifest, but not in the archive"),
    Case(
      testDescription: "a configuration without rootfs", bytes: archive(config: Array("{}".utf8)),
      message: "config.json: not the JSON expected: 'rootfs' is missing"),
    Case(
      testDescription: "a diff ID that is none",
      bytes: archive(config: Array("{\"rootfs\":{\"diff_ids\":[\"md5:1\",\"2\"]}}".utf8)),
      message: "config.json: not a sha256 digest: md5:1"),
    Case(
      testDescription: "a missing layer", bytes: archive(members: ["a"]),
      message: "b: named by the manifest, but not in the archive"),
    Case(
      testDescription: "too few layers", bytes: archive(layers: ["a"]),
      message: "manifest.json: the manifest has 1 layers, the configuration 2"),
    Case(
      testDescription: "too many layers", bytes: archive(layers: ["a", "b", "a"]),
      message: "manifest.json: the manifest has 3 layers, the configuration 2"),
    Case(
      testDescription: "a duplicate member", bytes: archive(members: ["a", "b", "b", "a"]),
      message: "a: in the archive more than once, with different contents"),
    Case(
      testDescription: "a layer that leads out", bytes: archive(layers: ["a", "../../etc/passwd"]),
      message: "../../etc/passwd: the manifest names a path outside the archive"),
    Case(
      testDescription: "an absolute layer", bytes: archive(layers: ["a", "/etc/passwd"]),
      message: "/etc/passwd: the manifest names a path outside the archive"),
    Case(
      testDescription: "a layer that is a directory",
      bytes: archive(layers: ["a", "d"]) { $0.add("d", typeflag: "5") },
      message: "d: not a regular file in the archive"),
    Case(
      testDescription: "a link that leads out",
      bytes: archive(layers: ["a", "l"]) { $0.add("l", typeflag: "2", link: "../../etc/passwd") },
      message: "l: the manifest names a path outside the archive"),
    Case(
      testDescription: "an absolute link",
      bytes: archive(layers: ["a", "l"]) { $0.add("l", typeflag: "2", link: "/etc/passwd") },
      message: "l: the manifest names a path outside the archive"),
    Case(
      testDescription: "a link to itself",
      bytes: archive(layers: ["a", "l"]) { $0.add("l", typeflag: "2", link: "l") },
      message: "l: not a regular file in the archive"),
    Case(
      testDescription: "a configuration of megabytes",
      bytes: archive(config: [UInt8](repeating: 0x20, count: 9 << 20)),
      message: "config.json: 9437184 bytes, more than the 8388608 accepted"),
    Case(
      testDescription: "an absurd size",
      bytes: archive {
        $0.add("c", sizeField: [0x80, 0, 0, 0, 0x40] + [UInt8](repeating: 0, count: 7))
      },
      message: "c: truncated: the file ends before its content does"),
    Case(
      testDescription: "a layer compressed with xz",
      bytes: archive(members: ["a"]) {
        $0.add("b", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0, 0])
      },
      message: "b: media type not supported: xz layer"),
    Case(
      testDescription: "an index without images", bytes: layout(index: TestImage.ociIndex([])),
      message: "index.json: lists no image"),
    Case(
      testDescription: "an index that is no JSON", bytes: layout(index: Array("{".utf8)),
      message: "index.json: not the JSON expected: not valid JSON"),
    Case(
      testDescription: "a digest that leads out",
      bytes: layout(
        index: Array(
          #"{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","#.utf8)
          + Array(#""digest":"sha256:../../../etc/passwd","size":1}]}"#.utf8)),
      message: "index.json: not a sha256 digest: sha256:../../../etc/passwd"),
    Case(
      testDescription: "a missing blob", bytes: layout(without: image.layers[1]),
      message: "\(blobs[3]): named by the manifest, but not in the archive"),
    Case(
      testDescription: "a configuration that lies about its digest",
      bytes: layout(
        replacing: (image.config, with: [UInt8](repeating: 0x20, count: image.config.count))),
      message: "\(blobs[1]): content does not match its digest: expected \(image.id), got sha256:"),
    Case(
      testDescription: "a blob of another size",
      bytes: layout(replacing: (image.layers[0], with: [1, 2, 3])),
      message: "\(blobs[2]): 3 bytes where the manifest says \(image.layers[0].count)"),
    Case(
      testDescription: "a manifest of another kind",
      bytes: layout(
        index: TestImage.ociIndex([
          image.ociDescriptor().replacing("image.manifest.v1", with: "artifact.v1")
        ])),
      message: "index.json: media type not supported: application/vnd.oci.artifact.v1+json"),
  ]

  @Test(arguments: cases)
  func `a bad archive is refused with file, member and reason`(bad: Case) async throws {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(bad.bytes)
      let error = #expect(throws: ImageArchiveError.self) { try ImageArchive.open(path) }
      let text = error?.description ?? ""
      #expect(text.hasPrefix("\(path): \(bad.message)"), "\(text)")
    }
  }

  @Test func `a missing file is refused with its path`() throws {
    let error = #expect(throws: ImageArchiveError.self) { try ImageArchive.open("/nowhere/a.tar") }
    #expect(error?.description == "/nowhere/a.tar: can't be read: No such file or directory")
  }

  @Test func `a device is refused, and a pipe is not waited for`() async throws {
    #expect(throws: ImageArchiveError(path: "/dev/null", reason: .notAFile)) {
      try ImageArchive.open("/dev/null")
    }
    try await withScratchDirectory { directory in
      let pipe = directory.appending("pipe")
      try Tool.run("mkfifo", [pipe.string])
      #expect(throws: ImageArchiveError(path: pipe, reason: .notAFile)) {
        try ImageArchive.open(pipe)
      }
    }
  }

  @Test func `a directory that is no layout is refused`() async throws {
    try await withScratchDirectory { directory in
      #expect(throws: ImageArchiveError(path: directory, reason: .noManifest)) {
        try ImageArchive.open(directory)
      }
    }
  }

  @Test func `an archive cut short anywhere is refused, or has lost nothing that counts`()
    async throws
  {
    let whole = Self.image.dockerArchive()
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      for end in stride(from: 0, through: whole.count, by: 61) {
        try path.write(Array(whole[..<end]))
        do {
          #expect(try ImageArchive.open(path).configDigest == Self.image.id)
        } catch is ImageArchiveError {
          continue
        }
      }
    }
  }
}

extension [UInt8] {
  /// Cut at the header of the manifest, which is the last member.
  fileprivate var withoutManifest: [UInt8] {
    let name = Array("manifest.json".utf8)
    let start = stride(from: 0, to: count, by: 512).reversed().first {
      self[$0...].starts(with: name)
    }
    return Array(self[..<(start ?? count)]) + [UInt8](repeating: 0, count: 1024)
  }
}
