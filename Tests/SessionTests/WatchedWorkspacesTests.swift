import Basics
import Graph
import SystemPackage
import TestSupport
import Testing
import Watcher

@testable import Session
@testable import Settings

/// What is watched of which index: of a workspace at `w` with the package `app`, and of others.
@Suite struct WatchedWorkspacesTests {
  private let directory: TemporaryDirectory
  private let root: FilePath
  private let initial: WatchedWorkspaces

  init() throws {
    directory = try TemporaryDirectory()
    root = try directory.makeDirectory("w")
    initial = WatchedWorkspaces(Settings(workspace: root, stateDirectory: PrivateDirectory("/s")))
  }

  private func index(of workspace: FilePath, isPartial: Bool = false) throws -> TargetIndex {
    let image = ImageTarget(
      name: "app", label: try #require(Label("//app:image")), key: BatchKey(workspace: workspace))
    var builder = TargetIndex.Builder(workspace: workspace)
    builder.add(.rule(name: "//app:image", kind: "image", inputs: ["//app:a.txt"]))
    builder.add(.sourceFile(name: "//app:BUILD", loads: []))
    builder.add(.sourceFile(name: "//app:a.txt", loads: []))
    return builder.build(
      images: [image], isPartial: isPartial, workspaceFiles: ["tools/ci.bazelrc"])
  }

  /// What `change` makes of the scope, and whether that is then to be asked for again.
  private func reaches(
    _ watched: inout WatchedWorkspaces, _ change: (inout WatchedWorkspaces) -> Void
  ) -> Bool {
    let old = watched.scope
    change(&watched)
    return watched.scope.reachesBeyond(old)
  }

  @Test func `without an index all is watched`() {
    #expect(initial.scope.trees == nil)
    #expect(initial.scope.outside == [])
  }

  @Test func `an index narrows it to its packages`() throws {
    var watched = initial
    let index = try index(of: root)
    watched.follow(index, isWhole: false)
    #expect(watched.scope.trees == [root.appending("app")])
    #expect(watched.scope.directories.contains(root.appending("tools")))
  }

  @Test func `where images are found by a query, or a package is broken, all is watched`()
    throws
  {
    var watched = initial
    watched.follow(try index(of: root), isWhole: true)
    #expect(watched.scope.trees == nil)
    watched.follow(try index(of: root, isPartial: true), isWhole: false)
    #expect(watched.scope.trees == nil)
  }

  @Test(arguments: [false, true])
  func `what a link leads to is watched, also where all is`(isWhole: Bool) throws {
    var watched = initial
    let outside = try directory.makeDirectory("outside")
    var index = try index(of: root)
    index.links.add(
      .init(path: "app/link"), leadsTo: outside.string, over: ["\(root)/app/link"])
    let reaches = reaches(&watched) { $0.follow(index, isWhole: isWhole) }
    #expect(reaches)
    #expect(watched.scope.outside == [outside])
  }

  @Test func `another workspace is watched whole, then by its packages`() throws {
    var watched = initial
    let other = try directory.makeDirectory("other")
    let isNew = reaches(&watched) { $0.add([root, other]) }
    #expect(isNew)
    #expect(watched.scope.outside == [other])
    // What was watched already need not be asked for again.
    let index = try index(of: other)
    let isBeyond = reaches(&watched) { $0.follow(index, isWhole: false) }
    #expect(!isBeyond)
    #expect(watched.scope.outside == [other.appending("app")])
    #expect(watched.scope.trees == nil)
  }

  @Test func `a workspace within this one is watched although Bazel ignores it here`()
    throws
  {
    var watched = initial
    try directory.write("third\nnode_modules\n", to: "w/.bazelignore")
    watched.add([root.appending("third")])
    #expect(!watched.scope.ignore.ignores(root.appending("third").appending("BUILD")))
    #expect(watched.scope.ignore.ignores(root.appending("node_modules").appending("x")))
  }

  @Test func `what an index names is watched although Bazel ignores its directory`() throws {
    var watched = initial
    try directory.write("app\n", to: "w/.bazelignore")
    watched.add([])
    #expect(watched.scope.ignore.ignores(root.appending("app").appending("a.txt")))
    let index = try index(of: root)
    let isBeyond = reaches(&watched) { $0.follow(index, isWhole: false) }
    #expect(isBeyond)
    #expect(!watched.scope.ignore.ignores(root.appending("app").appending("a.txt")))
    #expect(watched.scope.ignore.ignores(root.appending("app").appending("b.txt")))
  }

  @Test func `a repository within this one is watched whole although Bazel ignores it here`()
    throws
  {
    var watched = initial
    try directory.write("third\n", to: "w/.bazelignore")
    let lib = try directory.makeDirectory("w/third/lib")
    var index = try index(of: root)
    index.links.add(.init(repository: "@lib", path: ""), leadsTo: lib.string, over: [])
    watched.follow(index, isWhole: false)
    #expect(!watched.scope.ignore.ignores(lib.appending("sub").appending("f")))
    #expect(watched.scope.outside == [lib])
  }

  @Test func `a line that leaves a bazelignore file lets its directory in`() throws {
    var watched = initial
    let other = try directory.makeDirectory("other")
    for file in ["w/.bazelignore", "other/.bazelignore"] {
      try directory.write("gen\nout\n", to: file)
    }
    watched.add([other])
    for file in ["w/.bazelignore", "other/.bazelignore"] { try directory.write("gen\n", to: file) }
    let isBeyond = reaches(&watched) { $0.renew() }
    #expect(isBeyond)
    #expect(!watched.scope.ignore.ignores(root.appending("out")))
    #expect(!watched.ignores(other.appending("out")))
    #expect(watched.ignores(other.appending("gen")))
  }

  @Test func `the links that Bazel makes in another workspace are of no concern`() throws {
    var watched = initial
    let other = try directory.makeDirectory("other")
    watched.add([other])
    #expect(watched.ignores(other.appending("bazel-bin")))
    #expect(!watched.ignores(other.appending("app")))
  }

  // MARK: What Bazel reads outside all packages

  @Test func `a file outside is watched from the start, and nothing beside it told`() throws {
    try directory.write("import %workspace%/../shared/ci.bazelrc\n", to: "w/.bazelrc")
    try directory.write("", to: "shared/ci.bazelrc")
    var watched = WatchedWorkspaces(
      Settings(workspace: root, stateDirectory: PrivateDirectory("/s")))
    let shared = directory.appending("shared")
    #expect(watched.scope.directories.contains(shared))
    #expect(!watched.ignores(shared.appending("ci.bazelrc")))
    #expect(watched.ignores(shared.appending("other")))
    #expect(!watched.ignores(root.appending("other")))
    var index = try index(of: root)
    index.inputs.files.insert(shared.appending("ci.bazelrc").string)
    let reaches = reaches(&watched) { $0.follow(index, isWhole: false) }
    #expect(!reaches)
  }

  @Test func `what rules that make repositories have read is watched`() throws {
    var watched = initial
    var index = try index(of: root)
    index.inputs = RepositoryInputs(
      files: ["locks/pip.txt", "/abs/npm.lock"], listings: ["list", "/names"], trees: ["patches"])
    watched.follow(index, isWhole: false)
    let expected = ["locks", "list", "patches"].map { root.appending($0) } + ["/abs", "/names"]
    #expect(watched.scope.directories.isSuperset(of: expected))
    #expect(watched.scope.outside == [root.appending("patches")])
    #expect(!watched.ignores("/abs/npm.lock") && !watched.ignores("/names/new"))
    #expect(watched.ignores("/abs/other"))
  }

  @Test func `it needs no second query where all was watched`() throws {
    var watched = initial
    var index = try index(of: root)
    index.inputs = RepositoryInputs(files: ["locks/pip.txt"])
    let reaches = reaches(&watched) { $0.follow(index, isWhole: false) }
    #expect(!reaches)
  }

  @Test func `in an ignored directory it is watched all the same`() throws {
    try directory.write("locks\n", to: "w/.bazelignore")
    var watched = WatchedWorkspaces(
      Settings(workspace: root, stateDirectory: PrivateDirectory("/s")))
    var index = try index(of: root)
    index.inputs = RepositoryInputs(files: ["locks/pip.txt"])
    let reaches = reaches(&watched) { $0.follow(index, isWhole: false) }
    #expect(reaches)
    #expect(!watched.scope.ignore.ignores(root.pushing("locks/pip.txt")))
  }
}
