import Batching
import Graph
import Runtimes
import SystemPackage
import Testing

@testable import Basics
@testable import Settings

struct ConfigurationReaderTests {
  private func read(_ text: String) throws -> Configuration {
    try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
  }

  @Test func `every key is read`() throws {
    let configuration = try read(
      """
      bazel:
        command: bazelisk
        startupOptions: [--host_jvm_args=-Xmx2g]
        options: [--config=dev, --jobs=4]
      watch:
        trigger: poll
        pollInterval: 2s
        ignore: ["docs/**"]
      batch:
        debounce: 40ms
        maxDelay: 1s
        onBusyUpdate: queue
        buildConcurrency: 5
        keepGoing: false
      images:
        - name: api
          target: //services/api:image.tar
          outputGroup: tarball
          ref: registry.local/api:dev
          options: [--define=flavour=debug]
          platform: //platforms:linux_arm64
          workspace: other
          requires: [base]
        - name: base
          target: //base
        - query: 'kind("oci_load", //services/...)'
          exclude: [//services/legacy/...]
      load: { to: [docker, "oci:images"], jobs: 8 }
      """)

    var expected = Configuration()
    expected.layer.bazelCommand = "bazelisk"
    expected.layer.startupOptions = ["--host_jvm_args=-Xmx2g"]
    expected.layer.bazelOptions = ["--config=dev", "--jobs=4"]
    expected.layer.trigger = .poll
    expected.layer.pollInterval = .seconds(2)
    expected.layer.ignore = ["docs/**"]
    expected.layer.debounce = .milliseconds(40)
    expected.layer.maxDelay = .seconds(1)
    expected.layer.onBusyUpdate = .queue
    expected.layer.buildConcurrency = 5
    expected.layer.keepsGoing = false
    expected.layer.loadTargets = [.docker, .store("/w/images")]
    expected.layer.loadJobs = 8
    expected.images = [
      .target(
        ConfiguredImage(
          name: "api", label: try #require(Label("//services/api:image.tar")),
          outputGroup: "tarball", references: ["registry.local/api:dev"],
          options: ["--define=flavour=debug"], platform: "//platforms:linux_arm64",
          workspace: "/w/other", requires: ["base"])),
      .target(ConfiguredImage(name: "base", label: try #require(Label("//base:base")))),
      .query(
        ImageQuery(
          expression: "kind(\"oci_load\", //services/...)",
          exclude: [try #require(LabelPattern("//services/legacy/..."))])),
    ]
    #expect(configuration == expected)
  }

  @Test(arguments: ["", "\n\n", "# nothing yet\n", "---\n", "{}", "bazel:\nimages:\n", "\u{FEFF}"])
  func `a file that says nothing is a valid one`(_ text: String) throws {
    #expect(try read(text) == Configuration())
  }

  /// A file and the whole message for it.
  static let mistakes: [(String, String)] = [
    (
      "images:\n  - name: a\n    target: //a\n    plattform: //p\n",
      "watchbuild.yaml:4:5: error: unknown key 'plattform' (did you mean 'platform'?)"
    ),
    ("imagse: []", "watchbuild.yaml:1:1: error: unknown key 'imagse' (did you mean 'images'?)"),
    ("zebra: 1", "watchbuild.yaml:1:1: error: unknown key 'zebra'"),
    ("<<: {}", "watchbuild.yaml:1:1: error: unknown key '<<'"),
    ("[a]: 1", "watchbuild.yaml:1:1: error: expected a key, found a list"),
    ("- a", "watchbuild.yaml:1:1: error: expected keys and values, found a list"),
    ("text", "watchbuild.yaml:1:1: error: expected keys and values, found 'text'"),
    (
      "prune: {keep: -1}",
      "watchbuild.yaml:1:15: error: write a number of images to keep of each name"
    ),
    (
      "profiles: {a: {profiles: {}}}",
      "watchbuild.yaml:1:16: error: a profile has no profiles of its own; remove them"
    ),
    (
      "images: [{target: //a, rollout: {}}]",
      "watchbuild.yaml:1:33: error: 'rollout' does not say what is to be restarted; give one of: signal, "
        + "command, container, compose, kubernetes"
    ),
    ("bazel: [a]", "watchbuild.yaml:1:8: error: expected keys and values, found a list"),
    (
      "bazel: {options: --config=dev}",
      "watchbuild.yaml:1:18: error: expected a list, found '--config=dev'; write [a, b]"
    ),
    (
      "bazel: {options: [--define, //a]}",
      "watchbuild.yaml:1:29: error: '//a' is a target, not an option; name images under 'images'"
    ),
    (
      "bazel: {command: true}",
      "watchbuild.yaml:1:18: error: expected text, found 'true'; put it in quotes"
    ),
    (
      "bazel: {command: {}}",
      "watchbuild.yaml:1:18: error: expected text, found keys and values"
    ),
    (
      "batch:\n  debounce: 30",
      "watchbuild.yaml:2:13: error: a duration needs a unit: write 30ms or 30s"
    ),
    (
      "batch: {debounce: soon}",
      "watchbuild.yaml:1:19: error: write a number and a unit, such as 30ms, 2s or 1m"
    ),
    (
      "batch: {onBusyUpdate: wait}",
      "watchbuild.yaml:1:23: error: 'wait' is none of restart, queue, ignore"
    ),
    (
      "batch: {keepGoing: 1}",
      "watchbuild.yaml:1:20: error: expected true or false, found the number 1"
    ),
    (
      "batch: {buildConcurrency: '4'}",
      "watchbuild.yaml:1:27: error: expected a number, found '4'"
    ),
    (
      "batch: {buildConcurrency: 1.5}",
      "watchbuild.yaml:1:27: error: write a number of images, or 0 for no limit"
    ),
    (
      "watch: {trigger: manul}",
      "watchbuild.yaml:1:18: error: 'manul' is none of notify, poll, manual (did you mean 'manual'?)"
    ),
    (
      "watch: {ignore: ['']}", "watchbuild.yaml:1:18: error: an empty pattern matches nothing"
    ),
    (
      "load: {to: [registry]}",
      "watchbuild.yaml:1:13: error: name the registry: registry:HOST[:PORT][/PREFIX], "
        + "such as registry:localhost:5000"
    ),
    (
      "load: {to: [none, docker]}",
      "watchbuild.yaml:1:12: error: 'none' loads nowhere, so no other target can stand beside it"
    ),
    ("load: {jobs: 0}", "watchbuild.yaml:1:14: error: write a number from 1 to 256"),
    (
      "images: {name: a}",
      "watchbuild.yaml:1:9: error: expected a list of images, found keys and values; "
        + "begin each image with '- name:' or '- target:'"
    ),
    (
      "images:\n  - //a:b",
      "watchbuild.yaml:2:5: error: expected keys and values, found '//a:b'; "
        + "write '- target: LABEL'"
    ),
    (
      "images:\n  - name: a",
      "watchbuild.yaml:2:5: error: the image has no 'target'; add 'target: LABEL'"
    ),
    (
      "images: [{target: api:image}]",
      "watchbuild.yaml:1:19: error: 'api:image' is no label such as //services/api:image.tar"
    ),
    (
      "images: [{target: //a/...}]",
      "watchbuild.yaml:1:19: error: '//a/...' is no label such as //services/api:image.tar"
    ),
    (
      "images: [{target: //a, name: 'a b'}]",
      "watchbuild.yaml:1:30: error: 'a b' is no name: use letters, digits and . _ - /"
    ),
    (
      "images: [{target: //a, name: //a}]",
      "watchbuild.yaml:1:30: error: '//a' is no name: use letters, digits and . _ - /"
    ),
    (
      "images: [{target: //a, ref: Not/Valid}]",
      "watchbuild.yaml:1:29: error: 'Not/Valid' is no image reference such as "
        + "registry.local/api:dev"
    ),
    (
      "images: [{target: //a, platform: arm}]",
      "watchbuild.yaml:1:34: error: 'arm' is no label such as //services/api:image.tar"
    ),
    (
      "images: [{target: //a, outputGroup: 'a,b'}]",
      "watchbuild.yaml:1:37: error: 'a,b' is no name of one output group"
    ),
    (
      "images:\n  - target: //x/api:a\n  - target: //y/api:b",
      "watchbuild.yaml:3:5: error: another image is named 'api' already, in line 2; "
        + "give one of them another 'name'"
    ),
    (
      "images:\n  - {name: api, target: //a, requires: [bse]}\n  - {name: base, target: //b}",
      "watchbuild.yaml:2:40: error: 'api' requires 'bse', which is no image of this file "
        + "(did you mean 'base'?)"
    ),
    (
      "images:\n  - {name: a, target: //a, requires: [b]}\n"
        + "  - {name: b, target: //b, requires: [a]}",
      "watchbuild.yaml:2:38: error: images require each other in a circle: a → b → a; "
        + "remove one of these"
    ),
    (
      "images: [{query: ' '}]", "watchbuild.yaml:1:18: error: an empty query finds nothing"
    ),
    (
      "images: [{query: //a/..., name: a}]",
      "watchbuild.yaml:1:27: error: unknown key 'name'"
    ),
    (
      "images: [{query: //a/..., exclude: [legacy]}]",
      "watchbuild.yaml:1:37: error: 'legacy' is no label or pattern such as "
        + "//services/legacy/..."
    ),
    ("a: 1\na: 2", "watchbuild.yaml:1:1: error: key 'a' is given more than once; keep one"),
    (
      "bazel: {}\n---\nbazel: {}",
      "watchbuild.yaml:2:1: error: a second YAML document begins here, and only one is read; "
        + "remove the '---' or merge the two"
    ),
    (
      "bazel: [a\n",
      "watchbuild.yaml:2:1: error: broken YAML: did not find expected ',' or ']' "
        + "while parsing a flow sequence that begins in line 1"
    ),
    (
      "bazel:\n\tcommand: a",
      "watchbuild.yaml:2:1: error: broken YAML: found character that cannot start any token "
        + "while scanning for the next token that begins in line 2"
    ),
    ("bazel: *x", "watchbuild.yaml:1:8: error: broken YAML: found undefined alias"),
    (
      "bazel: {}\nwatch: \u{1}",
      "watchbuild.yaml:2: error: broken YAML: control characters are not allowed"
    ),
    (
      "bazel: {}\n\u{1B}[31mred: 1",
      "watchbuild.yaml:2: error: broken YAML: control characters are not allowed"
    ),
    (
      "\"\\e[31mred\": 1", "watchbuild.yaml:1:1: error: unknown key '\\u{1B}[31mred'"
    ),
  ]

  @Test(arguments: mistakes)
  func `a mistake is told with line and column`(_ text: String, _ message: String) {
    let problem = #expect(throws: Problem.self) { try read(text) }
    #expect(problem?.description == message)
    #expect(problem?.status == .usage)
  }

  @Test func `all mistakes of a file are told, in their order`() {
    let problem = #expect(throws: Problem.self) {
      try read("images: [{target: a}]\nbatch: {debounce: 1}\nwatsh: {}")
    }
    #expect(problem?.description.split(separator: "\n").count == 3)
    #expect(problem?.location?.line == 1)
    #expect(problem?.others.map(\.location?.line) == [2, 3])
  }

  @Test func `aliases of aliases are bounded`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(items)]\n"
    }
    let problem = #expect(throws: Problem.self) { try read(text) }
    #expect(problem?.message == "too many values")
  }

  @Test func `deep nesting is refused, not followed`() {
    let problem = #expect(throws: Problem.self) { try read(String(repeating: "[", count: 200_000)) }
    #expect(problem?.message.hasPrefix("broken YAML: ") == true)
  }
}
