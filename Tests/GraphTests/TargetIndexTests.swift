import Graph
import SystemPackage
import Testing
import Watcher

/// Two images over one library: //cart:image, //web:image → //lib:lib; macros in //build:image.bzl.
@Suite struct TargetIndexTests {
  private static let entries: [QueryEntry] = [
    .rule(name: "//cart:image", kind: "image", inputs: ["//cart:app", "//lib:lib"]),
    .rule(name: "//cart:app", kind: "filegroup", inputs: ["//cart:src/main.txt", "//cart:static"]),
    .rule(
      name: "@@//web:image", kind: "image", inputs: ["//web:index.txt", "@//lib:lib", "//gen:out"]),
    .rule(name: "//lib:lib", kind: "filegroup", inputs: ["//lib:a.txt", "//lib:link.txt"]),
    .rule(name: "//gen:gen", kind: "genrule", inputs: ["//gen:in.txt"]),
    .generatedFile(name: "//gen:out", rule: "//gen:gen"),
    .sourceFile(name: "//cart:src/main.txt", loads: []),
    .sourceFile(name: "//cart:static", loads: []),
    .sourceFile(name: "//web:index.txt", loads: []),
    .sourceFile(name: "//lib:a.txt", loads: []),
    .sourceFile(name: "//lib:link.txt", loads: []),
    .sourceFile(name: "//gen:in.txt", loads: []),
    .sourceFile(name: "//cart:BUILD", loads: ["//build:image.bzl"]),
    .sourceFile(name: "//web:BUILD", loads: ["//build:image.bzl"]),
    .sourceFile(name: "//lib:BUILD.bazel", loads: []),
    .sourceFile(name: "//gen:BUILD", loads: []),
    .sourceFile(name: "//build:image.bzl", loads: []),
    .sourceFile(name: "//build:BUILD", loads: []),
  ]

  private func index(
    entries: [QueryEntry] = Self.entries, adding base: TargetIndex? = nil, isPartial: Bool = false
  ) throws -> TargetIndex {
    var builder = TargetIndex.Builder(workspace: "/w", adding: base)
    for entry in entries { builder.add(entry) }
    let images = try ["cart", "web"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
    return builder.build(
      images: images, isPartial: isPartial,
      workspaceFiles: ["build/repositories.bzl", "@ext//repositories.bzl"])
  }

  private func effect(
    _ path: String, _ kind: FileChange.Kind = .modified, isPartial: Bool = false,
    isPackage: (String) -> Bool = { _ in false }
  ) throws -> Effect {
    try index(isPartial: isPartial).effect(
      of: FileChange(path: FilePath(path), kind: kind), isPackage: isPackage)
  }

  @Test(arguments: [
    ("/w/cart/src/main.txt", ["cart"]), ("/w/lib/a.txt", ["cart", "web"]),
    ("/w/web/index.txt", ["web"]), ("/w/gen/in.txt", ["web"]), ("/w/README.md", []),
    ("/elsewhere/x.txt", []), ("/workspace2/lib/a.txt", []),
  ])
  func `a saved source affects the images that are made of it`(
    path: String, images: [String]
  ) throws {
    #expect(try effect(path) == Effect(images: Set(images)))
  }

  @Test(arguments: [
    ["/w/cart/src/main.txt"], ["/w/cart/src/main.txt", "/w/gen/in.txt"], ["/w/README.md"],
    ["/w/web/BUILD", "/elsewhere/x.txt"], ["/w/lib/a.txt", "/w/WORKSPACE"], [],
    ["/w/lib/link.txt", "/w/gen/in.txt"],
  ])
  func `changes mean together what they mean one by one`(paths: [String]) throws {
    let index = try index()
    let disk = DiskQuestions(isLink: { $0 == "/w/lib/link.txt" })
    let changes = paths.map { FileChange(path: FilePath($0), kind: .modified) }
    var expected = Effect()
    for change in changes { expected.formUnion(index.effect(of: change, asking: disk)) }
    #expect(index.effect(of: changes, asking: disk) == expected)
  }

  @Test func `of many files in a directory the disk is asked once about it`() async throws {
    let index = try index()
    await confirmation { asked in
      let disk = DiskQuestions(isPackage: { _ in
        asked()
        return false
      })
      let changes = (0..<100).map {
        FileChange(path: FilePath("/w/cart/new/\($0)"), kind: .created)
      }
      #expect(index.effect(of: changes, asking: disk) == Effect(images: ["cart"], isStale: true))
    }
  }

  @Test(arguments: [
    "WORKSPACE", "MODULE.bazel", ".bazelrc", "ci.bazelrc", ".bazelversion", ".bazelignore",
    "build/repositories.bzl",
  ])
  func `a file of the whole workspace affects every image and the graph`(path: String) throws {
    #expect(try effect("/w/\(path)") == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `a BUILD file affects what depends on its package, and the graph`() throws {
    #expect(try effect("/w/web/BUILD") == Effect(images: ["web"], isStale: true))
    #expect(try effect("/w/lib/BUILD.bazel") == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `a bzl file affects what depends on the packages that load it`() throws {
    #expect(try effect("/w/build/image.bzl") == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `a new file may be matched by a glob of its package`() throws {
    #expect(try effect("/w/cart/src/new.txt", .created) == Effect(images: ["cart"], isStale: true))
  }

  @Test func `a file that no target reads affects nothing`() throws {
    #expect(try effect("/w/cart/notes.txt") == Effect())
  }

  @Test func `a new file in a package that no image depends on affects nothing`() throws {
    let effect = try effect("/w/cart/tools/x.txt", .created) { $0 == "cart/tools" }
    #expect(effect == Effect())
  }

  @Test func `a deleted source affects its images and the graph`() throws {
    #expect(try effect("/w/lib/a.txt", .deleted) == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `a new BUILD file moves the border of the package around it`() throws {
    #expect(try effect("/w/cart/src/BUILD", .created) == Effect(images: ["cart"], isStale: true))
  }

  @Test func `a BUILD file of a package that no image depends on affects nothing`() throws {
    #expect(try effect("/w/docs/BUILD") == Effect())
  }

  @Test func `any BUILD file matters while the graph is known in part`() throws {
    let effect = try effect("/w/docs/BUILD", isPartial: true)
    #expect(effect == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `a file in a source directory is the directory`() throws {
    #expect(try effect("/w/cart/static/css/x.css", .created) == Effect(images: ["cart"]))
  }

  @Test func `a file under a directory that shares a rule's name may be matched by a glob`() throws
  {
    #expect(try effect("/w/cart/app/x.txt", .created) == Effect(images: ["cart"], isStale: true))
  }

  @Test func `a partial answer keeps what was known`() throws {
    let partial = try index(
      entries: Self.entries.filter { entry in
        if case .sourceFile(let name, _) = entry { !name.hasPrefix("//lib") } else { true }
      }, adding: index(), isPartial: true)
    let effect = partial.effect(of: FileChange(path: "/w/lib/a.txt", kind: .modified))
    #expect(effect.images == ["cart", "web"])
  }

  @Test func `the explanation is the shortest way from the file to the image`() throws {
    let paths = try index().explanation(of: FileChange(path: "/w/gen/in.txt", kind: .modified))
    #expect(paths == ["web": ["//gen:in.txt", "//gen:gen", "//gen:out", "//web:image"]])
  }

  @Test func `a partial answer may tell of an edge that the old one had the other way round`()
    throws
  {
    let turned: [QueryEntry] = [
      .rule(name: "//lib:lib", kind: "filegroup", inputs: ["//cart:app"]),
      .rule(name: "//cart:app", kind: "filegroup", inputs: ["//lib:lib"]),
    ]
    let merged = try index(entries: turned, adding: index(), isPartial: true)
    #expect(
      merged.effect(of: FileChange(path: "/w/cart/src/main.txt", kind: .modified)).images == [
        "cart", "web",
      ])
  }

  @Test func `a source that has become a symbolic link makes the graph stale`() throws {
    let change = FileChange(path: "/w/lib/a.txt", kind: .modified)
    let effect = try index().effect(of: change, isLink: { $0 == "/w/lib/a.txt" })
    #expect(effect == Effect(images: ["cart", "web"], isStale: true))
  }

  @Test func `both names of a BUILD file count while one is renamed to the other`() throws {
    let index = try index(entries: Self.entries + [.sourceFile(name: "//lib:BUILD", loads: [])])
    for name in ["BUILD", "BUILD.bazel"] {
      let change = FileChange(path: FilePath("/w/lib/\(name)"), kind: .deleted)
      #expect(index.effect(of: change) == Effect(images: ["cart", "web"], isStale: true))
    }
  }

  @Test func `a deleted BUILD file gives its files to the package around it`() throws {
    let effect = try effect("/w/cart/inner/BUILD", .deleted)
    #expect(effect == Effect(images: ["cart"], isStale: true))
  }

  @Test func `more than 64 images are told apart`() throws {
    var builder = TargetIndex.Builder(workspace: "/w")
    let names = (0..<200).map { "i\($0)" }
    for name in names {
      builder.add(.rule(name: "//\(name):image", kind: "image", inputs: ["//\(name):a.txt"]))
      builder.add(.sourceFile(name: "//\(name):a.txt", loads: []))
    }
    let images = try names.map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
    let index = builder.build(images: images)
    for name in names {
      let change = FileChange(path: FilePath("/w/\(name)/a.txt"), kind: .modified)
      #expect(index.effect(of: change).images == [name])
    }
  }

  @Test func `a BUILD file whose loads Bazel does not tell loads all of the workspace`() throws {
    let entries: [QueryEntry] = [
      .rule(name: "//cart:image", kind: "image", inputs: []),
      .rule(name: "//web:image", kind: "image", inputs: []),
      .sourceFile(name: "//cart:BUILD.bazel", loads: []),
      .sourceFile(name: "//web:BUILD", loads: []),
      .sourceFile(name: "//rules:image.bzl", loads: []),
      .sourceFile(name: "//rules:BUILD", loads: []),
    ]
    let effect = try index(entries: entries).effect(
      of: FileChange(path: "/w/rules/image.bzl", kind: .modified))
    #expect(effect == Effect(images: ["cart"], isStale: true))
  }

  @Test func `a BUILD file that only exports files affects what reads them`() throws {
    let entries: [QueryEntry] = [
      .rule(name: "//cart:image", kind: "image", inputs: ["//rules:tool.sh"]),
      .sourceFile(name: "//cart:BUILD", loads: []),
      .sourceFile(name: "//rules:tool.sh", loads: []),
      .sourceFile(name: "//rules:BUILD", loads: []),
    ]
    let effect = try index(entries: entries).effect(
      of: FileChange(path: "/w/rules/BUILD", kind: .modified))
    #expect(effect == Effect(images: ["cart"], isStale: true))
  }

  @Test(arguments: [".main.txt.swp", "4913", "main.txt~", ".#main.txt", "#main.txt#", "sedAb1xYz"])
  func `what an editor leaves beside a source for a while is nothing`(name: String) throws {
    #expect(try effect("/w/cart/src/\(name)", .created) == Effect())
    #expect(try effect("/w/cart/src/\(name)", .deleted) == Effect())
  }

  @Test func `the end of a file that no target reads changes nothing`() throws {
    #expect(try effect("/w/cart/src/gone.txt", .deleted) == Effect())
  }
}
