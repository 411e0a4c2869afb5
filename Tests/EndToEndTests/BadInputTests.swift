import Foundation
import SystemPackage
import TestSupport
import Testing

/// What can be wrong with what watchbuild is given: one clear line each, and the documented exit code.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(BadImages.files))
struct BadInputTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(BazelServer.workspace) }

  // MARK: Images

  @Test func `each bad image fails with a line of its own, and the good one is loaded`()
    async throws
  {
    let store = workspace.home.appending("bad-images")
    let names = ["good"] + BadImages.reasons.map(\.name)
    let arguments =
      ["build", "--load", "oci:\(store)", "--output"]
    let targets = names.map { "//tars:\($0)" } + ["//nowhere:image"]
    let run = try await workspace.run(arguments + ["json"] + targets)
    #expect(run.exit == 1)
    #expect(run.events.filter { $0.type == "build" }.count == 1)
    #expect(run.images("loaded") == ["tars/good"])
    #expect(run.images("failed") == Set(names.dropFirst().map { "tars/\($0)" } + ["nowhere"]))
    for (image, reason) in BadImages.reasons {
      #expect(run.error(of: "tars/\(image)").contains(reason), "\(run.error(of: "tars/\(image)"))")
    }
    #expect(run.error(of: "nowhere").contains("no such package 'nowhere'"))
    let cycle = run.events.last { $0.type == "cycle" }
    #expect(cycle?.ok == 1)
    #expect(cycle?.failed == names.count)

    // For people: a line each, which says where.
    let plain = try await workspace.run(arguments + ["plain"] + targets)
    #expect(plain.exit == 1)
    #expect(plain.output == "")
    for (image, _) in BadImages.reasons {
      let lines = plain.errorLines.filter { $0.hasPrefix("[1] tars/\(image) failed: ") }
      #expect(lines.count == 1)
      let isPlaced = [":\(image)", "/\(image).tar:"].contains { lines.first?.contains($0) == true }
      #expect(isPlaced, "\(lines)")
    }
    let stored = try Tool.run("ls", ["-A", store.string]).split(separator: "\n")
    #expect(stored == ["blobs", "index.json", "oci-layout"])
    #expect(try Tool.run("ls", ["\(store)/blobs/sha256"]).split(separator: "\n").count == 3)
    #expect(try workspace.leftovers() == "")
  }

  // MARK: Command line and surroundings

  struct Mistake: CustomTestStringConvertible {
    let testDescription: String
    let arguments: [String]
    var environment: [String: String] = [:]
    /// Relative to the directory around the workspace.
    var directory = "workspace"
    /// `HOME` stands for the directory around the workspace.
    let message: String
  }

  static let mistakes: [Mistake] = [
    Mistake(
      testDescription: "outside of any workspace", arguments: ["build"], directory: ".",
      message: """
        not inside a Bazel workspace: no MODULE.bazel or WORKSPACE in HOME or above; \
        run it in one or pass -C DIR
        """),
    Mistake(
      testDescription: "another directory that is not there",
      arguments: ["build", "-C", "none"],
      message: "can't work in HOME/workspace/none: No such file or directory; "),
    Mistake(
      testDescription: "the same as with git", arguments: ["-C", "none", "build"],
      message: "can't work in HOME/workspace/none: No such file or directory; "),
    Mistake(
      testDescription: "no bazel in PATH", arguments: ["build"], environment: ["PATH": "/nowhere"],
      message: "bazel: not found in PATH; install Bazel or Bazelisk, or pass its path with --bazel"),
    Mistake(
      testDescription: "no bazel for dev", arguments: ["dev"], environment: ["PATH": "/nowhere"],
      message: "bazel: not found in PATH; install"),
    Mistake(
      testDescription: "no such bazel", arguments: ["affected", "x"],
      environment: ["BAZEL": "/nowhere/bazel"], message: "no program at /nowhere/bazel; install"),
    Mistake(
      testDescription: "a state directory that can't be made", arguments: ["build"],
      environment: ["XDG_STATE_HOME": "/dev/null"],
      message: "can't write to the state directory /dev/null/watchbuild/workspace-"),
    Mistake(
      testDescription: "the same for dev", arguments: ["dev"],
      environment: ["XDG_STATE_HOME": "/dev/null"],
      message: "can't write to the state directory /dev/null/watchbuild/workspace-"),
    Mistake(
      testDescription: "an unknown image", arguments: ["build", "-f", "../good.yaml", "godo"],
      message: "no image is named 'godo' (did you mean 'good'?); there are: good"),
    Mistake(
      testDescription: "a pattern of no image", arguments: ["build", "//..."],
      message: "no image target matches //...; 'watchbuild images' lists those that there are"),
    Mistake(
      testDescription: "no image anywhere", arguments: ["build"],
      message: "no image targets found in HOME/workspace; name a label such as"),
    Mistake(
      testDescription: "an unknown place to load into", arguments: ["build", "--load", "dokcer"],
      message: "--load: 'dokcer' is none of docker, podman, containerd, kind, k3d, minikube, "
        + "registry:HOST, oci:DIR, none, auto (did you mean 'docker'?)"),
    Mistake(
      testDescription: "a configuration that is not there", arguments: ["build", "-f", "no.yaml"],
      message: "can't read the configuration HOME/workspace/no.yaml: No such file or directory; "),
    Mistake(
      testDescription: "an unknown option", arguments: ["build", "--bogus"],
      message: "Unknown option '--bogus'\nSee 'watchbuild build --help' for more information."),
    Mistake(
      testDescription: "an unknown command", arguments: ["biuld"],
      message: "no command 'biuld' (did you mean 'build'?); see 'watchbuild --help'"),
    Mistake(
      testDescription: "a duration without unit", arguments: ["dev", "--debounce", "30"],
      message: "a duration needs a unit: write 30ms or 30s\nSee 'watchbuild dev --help'"),
    Mistake(
      testDescription: "a variable with a wrong value", arguments: ["build"],
      environment: ["WATCHBUILD_LOAD_JOBS": "many"], message: "WATCHBUILD_LOAD_JOBS"),
    Mistake(
      testDescription: "a misspelt variable", arguments: ["build"],
      environment: ["WATCHBUILD_TRIGER": "poll"], message: "did you mean 'WATCHBUILD_TRIGGER'?"),
  ]

  @Test(arguments: mistakes)
  func `a usage error is one line that says what to do, and exit code 2`(
    mistake: Mistake
  ) async throws {
    try "images: [{name: good, target: '//tars:good'}]".write(
      toFile: "\(workspace.home)/good.yaml", atomically: true, encoding: .utf8)
    let run = try await workspace.run(
      mistake.arguments, in: workspace.home.pushing(FilePath(mistake.directory)),
      environment: mistake.environment)
    #expect(run.exit == 2)
    #expect(run.output == "")
    let message = mistake.message.replacing("HOME", with: workspace.home.string)
    #expect(run.errors.hasPrefix("watchbuild: error: "), "\(run.errors)")
    #expect(run.errors.contains(message), "\(run.errors)")
    #expect(run.errorLines.count == (message.contains("\n") ? 2 : 1))
    #expect(try Tool.run("mkdir", ["-p", workspace.state.string]) == "")
    #expect(try workspace.leftovers() == "")
  }

  @Test(arguments: [
    ("images: [a\n", "2:1: error: broken YAML: "),
    ("images:\n  - target: //tars:good\n    plattform: //:arm\n", "3:5: error: unknown key 'platt"),
    ("batch: {debounce: 30}\n", "1:19: error: a duration needs a unit"),
    ("images:\n  - name: good\n    target: good\n", "3:13: error: 'good' is no label such as"),
  ])
  func `a mistake in the configuration is told with its place`(
    text: String, message: String
  ) async throws {
    try workspace.write("watchbuild.yaml", text)
    defer { workspace.remove("watchbuild.yaml") }
    for command in ["build", "dev"] {
      // As a user would name it from where they are.
      let run = try await workspace.run([command], in: workspace.root.appending("tars"))
      #expect(run.exit == 2)
      #expect(run.output == "")
      #expect(run.errorLines.count == 1)
      #expect(run.errors.contains("watchbuild.yaml:\(message)"), "\(run.errors)")
    }
  }

  @Test func `a broken WORKSPACE file is told with its place`() async throws {
    try workspace.write("WORKSPACE", "x = (\n")
    defer { try? workspace.write("WORKSPACE", "") }
    let run = try await workspace.run(["build", "--output", "plain"])
    #expect(run.exit == 1)
    #expect(run.errorLines.contains { $0.hasPrefix("WORKSPACE:") && $0.contains(": error: ") })
    #expect(run.errorLines.last?.hasPrefix("watchbuild: error: ") == true)
  }

  // MARK: While dev runs

  private func dev(_ arguments: String...) async throws -> WatchbuildProcess {
    let store = workspace.home.appending("dev-images")
    let dev = try workspace.start(
      ["dev", "--output", "json", "--load", "oci:\(store)"] + arguments)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  @Test func `a label that is not there yet is built when it appears`() async throws {
    let dev = try await dev("//later:image")
    let first = try await dev.cycle()
    #expect(first.failed == 1)
    let failure = dev.events.first { $0.status == "failed" && $0.image != nil }
    #expect(failure?.error?.contains("no such package 'later'") == true)

    try workspace.write("later/BUILD", BadImages.rule("image", kind: "good"))
    defer { workspace.remove("later/BUILD") }
    let loaded = try await dev.wait(for: "loaded image", after: first.seq) {
      $0.status == "loaded"
    }
    #expect(loaded.ref == "bad/good:dev")
    #expect(try await dev.interrupt() == 130)
    #expect(try workspace.leftovers() == "")
  }

  @Test func `a configuration that breaks while dev runs leaves the old one in force`()
    async throws
  {
    let good = "images:\n  - name: one\n    target: //watched:one\n"
    try workspace.write("watchbuild.yaml", good)
    try workspace.write("watched/salt.txt", "1\n")
    try workspace.write(
      "watched/BUILD", BadImages.rule("one", kind: "good") + BadImages.rule("two", kind: "good"))
    defer {
      for file in ["watchbuild.yaml", "watched/BUILD", "watched/salt.txt"] {
        workspace.remove(file)
      }
    }
    let dev = try await dev()
    var start = dev.last
    try workspace.write("watchbuild.yaml", good + "    plattform: //:arm\n")
    let diagnostic = try await dev.wait(for: "diagnostic", after: start) {
      $0.type == "diagnostic"
    }
    #expect(diagnostic.file == "watchbuild.yaml")
    #expect(diagnostic.line == 4)
    #expect(diagnostic.message?.contains("unknown key 'plattform'") == true)

    start = dev.last
    try workspace.write("watched/salt.txt", "2\n")
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)

    start = dev.last
    try workspace.write(
      "watchbuild.yaml", good + "  - {name: two, target: '//watched:two', ref: 'bad/two:dev'}\n")
    let added = try await dev.wait(for: "loaded image", after: start) {
      $0.image == "two" && $0.status == "built"
    }
    #expect(added.target == "//watched:two")
    #expect(try await dev.interrupt() == 130)
    #expect(try workspace.leftovers() == "")
  }
}

/// A package of targets whose output is no image, each for another reason.
enum BadImages {
  static let reasons: [(name: String, reason: String)] = [
    ("truncated", "/truncated.tar: layer.tar: truncated: the file ends before its content does"),
    ("not_tar", "/not_tar.tar: not a tar; name a target that makes a docker-archive"),
    ("zipped", "/zipped.tar: its gzip compression is damaged; build it again"),
    ("no_manifest", "/no_manifest.tar: no image: neither manifest.json nor index.json inside"),
    ("empty_manifest", "/empty_manifest.tar: manifest.json: lists no image; look at the rule"),
    ("no_layer", "/no_layer.tar: layer.tar: named by the manifest, but not in the archive; look"),
    ("no_config", "/no_config.tar: config.json: named by the manifest, but not in the archive"),
    ("text", "target //tars:text has no image among its outputs (text.txt); name the rule that"),
    ("nope", "no such target '//tars:nope'"),
  ]

  static var files: [String: String] {
    let kinds = ["good"] + reasons.map(\.name).filter { !["text", "nope"].contains($0) }
    return [
      "tars/BUILD": kinds.map { rule($0, kind: $0) }.joined()
        + "genrule(name = \"text\", outs = [\"text.txt\"], cmd = \"echo text > $@\")\n"
        + "exports_files([\"make.sh\"])\n",
      "tars/make.sh": script,
    ]
  }

  /// A genrule that makes an image, or what looks like one.
  static func rule(_ name: String, kind: String) -> String {
    """
    genrule(
        name = "\(name)", srcs = glob(["salt.txt"]), outs = ["\(name).tar"],
        cmd = "bash $(location //tars:make.sh) \(kind) $@ $(SRCS)", tools = ["//tars:make.sh"])

    """
  }

  /// `make.sh KIND OUT [SALT]`
  private static let script = #"""
    set -eu
    kind=$1 out=$PWD/$2 salt=${3:+$PWD/$3}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    archive() { tar --format=ustar --mtime=@0 --owner=0 --group=0 --mode=0644 -cf "$@"; }
    cat $salt /dev/null >file
    archive layer.tar file
    layer=$(sha256sum <layer.tar | cut -c1-64)
    printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
      "$layer" >config.json
    printf '[{"Config":"config.json","RepoTags":["bad/%s:dev"],"Layers":["layer.tar"]}]' "$kind" >manifest.json
    case $kind in
      no_manifest) members="config.json layer.tar" ;;
      no_layer) members="config.json manifest.json" ;;
      no_config) members="layer.tar manifest.json" ;;
      *) members="config.json layer.tar manifest.json" ;;
    esac
    if [ "$kind" = empty_manifest ]; then echo '[]' >manifest.json; fi
    archive "$out" $members
    case $kind in
      truncated) truncate -s 3000 "$out" ;;
      not_tar) echo 'no tar at all' >"$out" ;;
      zipped) gzip -nc "$out" | head -c -9 >"$out.gz"; mv "$out.gz" "$out" ;;
    esac
    """#
}
