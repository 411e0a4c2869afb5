import Batching
import Graph
import Runtimes
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings

struct SettingsTests {
  /// One setting and how each source says it.
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var option: [String]
    var variable: (name: String, value: String)
    var file: String
    var read: @Sendable (Settings) -> String
    /// By option, environment, file, default.
    var expected: (String, String, String, String)

    var testDescription: String { name }
  }

  static let rows: [Row] = [
    Row(
      name: "trigger", option: ["--trigger", "notify"], variable: ("WATCHBUILD_TRIGGER", "poll"),
      file: "watch: {trigger: poll}", read: { $0.trigger.rawValue },
      expected: ("notify", "poll", "poll", "notify")),
    Row(
      name: "pollInterval", option: ["--poll-interval", "2s"],
      variable: ("WATCHBUILD_POLL_INTERVAL", "3s"), file: "watch: {pollInterval: 4s}",
      read: { DurationText.text($0.pollInterval) }, expected: ("2s", "3s", "4s", "1s")),
    Row(
      name: "debounce", option: ["--debounce", "1ms"], variable: ("WATCHBUILD_DEBOUNCE", "2ms"),
      file: "batch: {debounce: 3ms}", read: { DurationText.text($0.debounce) },
      expected: ("1ms", "2ms", "3ms", "30ms")),
    Row(
      name: "maxDelay", option: ["--max-delay", "1s"], variable: ("WATCHBUILD_MAX_DELAY", "2s"),
      file: "batch: {maxDelay: 3s}", read: { DurationText.text($0.maxDelay) },
      expected: ("1s", "2s", "3s", "500ms")),
    Row(
      name: "onBusyUpdate", option: ["--on-busy-update", "ignore"],
      variable: ("WATCHBUILD_ON_BUSY_UPDATE", "queue"), file: "batch: {onBusyUpdate: queue}",
      read: { $0.onBusyUpdate.rawValue }, expected: ("ignore", "queue", "queue", "restart")),
    Row(
      name: "watchfs", option: ["--watchfs", "auto"], variable: ("WATCHBUILD_WATCHFS", "never"),
      file: "bazel: {watchfs: never}", read: { $0.watchesInBazel.rawValue },
      expected: ("auto", "never", "never", "auto")),
    Row(
      name: "buildConcurrency", option: ["--build-concurrency", "1"],
      variable: ("WATCHBUILD_BUILD_CONCURRENCY", "2"), file: "batch: {buildConcurrency: 3}",
      read: { "\($0.buildConcurrency)" }, expected: ("1", "2", "3", "0")),
    Row(
      name: "keepGoing", option: ["--keep-going"], variable: ("WATCHBUILD_KEEP_GOING", "0"),
      file: "batch: {keepGoing: false}", read: { "\($0.keepsGoing)" },
      expected: ("true", "false", "false", "true")),
    Row(
      name: "load", option: ["--load", "docker", "--load", "oci:/a"],
      variable: ("WATCHBUILD_LOAD", "oci:/b, docker"), file: "load: {to: [none]}",
      read: { $0.loadTargets.map(\.description).joined(separator: " ") },
      expected: ("docker oci:/a", "oci:/b docker", "none", "auto")),
    Row(
      name: "loadJobs", option: ["--load-jobs", "1"], variable: ("WATCHBUILD_LOAD_JOBS", "2"),
      file: "load: {jobs: 3}", read: { "\($0.loadJobs)" }, expected: ("1", "2", "3", "4")),
    Row(
      name: "bazel", option: ["--bazel", "bazelisk"], variable: ("WATCHBUILD_BAZEL", "/b/bazel"),
      file: "bazel: {command: bazel-7}", read: { $0.bazelCommand },
      expected: ("bazelisk", "/b/bazel", "bazel-7", "bazel")),
    Row(
      name: "BAZEL", option: ["--bazel", "bazelisk"], variable: ("BAZEL", "/c/bazel"),
      file: "bazel: {command: bazel-7}", read: { $0.bazelCommand },
      expected: ("bazelisk", "/c/bazel", "bazel-7", "bazel")),
    Row(
      name: "postpone", option: ["--postpone"], variable: ("WATCHBUILD_POSTPONE", "true"),
      file: "", read: { "\($0.isPostponed)" }, expected: ("true", "true", "false", "false")),
    Row(
      name: "noWaitForLock", option: ["--no-wait-for-lock"],
      variable: ("WATCHBUILD_NO_WAIT_FOR_LOCK", "1"), file: "", read: { "\($0.waitsForLock)" },
      expected: ("false", "false", "true", "true")),
    Row(
      name: "output", option: ["--output", "json"], variable: ("WATCHBUILD_OUTPUT", "tty"),
      file: "", read: { $0.output.rawValue }, expected: ("json", "tty", "plain", "plain")),
    Row(
      name: "events", option: ["--events", "fd:3"], variable: ("WATCHBUILD_EVENTS", "fd:4"),
      file: "", read: { $0.events.map { "\($0)" } ?? "none" },
      expected: ("descriptor(3)", "descriptor(4)", "none", "none")),
    Row(
      name: "bell", option: ["--bell", "always"], variable: ("WATCHBUILD_BELL", "change"),
      file: "", read: { $0.bell.rawValue }, expected: ("always", "change", "never", "never")),
    Row(
      name: "clear", option: ["--clear"], variable: ("WATCHBUILD_CLEAR", "1"), file: "",
      read: { "\($0.clears)" }, expected: ("true", "true", "false", "false")),
    Row(
      name: "dashboard", option: ["--ui", "127.0.0.2:80"], variable: ("WATCHBUILD_UI", "8080"),
      file: "", read: { $0.dashboard?.text ?? "none" },
      expected: ("127.0.0.2:80", "127.0.0.1:8080", "none", "none")),
    Row(
      name: "color", option: ["--color", "always"], variable: ("WATCHBUILD_COLOR", "never"),
      file: "", read: { $0.color.rawValue }, expected: ("always", "never", "auto", "auto")),
    Row(
      name: "verbosity", option: ["-q"], variable: ("WATCHBUILD_VERBOSE", "1"), file: "",
      read: { $0.verbosity.rawValue }, expected: ("quiet", "verbose", "normal", "normal")),
  ]

  @Test(arguments: rows)
  func `option goes before environment, environment before file, file before default`(
    _ row: Row
  ) throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
    let variable = [row.variable.name: row.variable.value]

    let byDefault = try TestCommand.settings([], in: scratch.path)
    try scratch.write(row.file, to: "watchbuild.yaml")
    let byFile = try TestCommand.settings([], in: scratch.path)
    let byVariable = try TestCommand.settings([], environment: variable, in: scratch.path)
    let byOption = try TestCommand.settings(row.option, environment: variable, in: scratch.path)

    let read = [byOption, byVariable, byFile, byDefault].map(row.read)
    let expected = row.expected
    #expect(read == [expected.0, expected.1, expected.2, expected.3])
  }

  @Test(arguments: [
    ("WATCHBUILD_DEBOUNCE", "30", "a duration needs a unit: write 30ms or 30s"),
    ("WATCHBUILD_POLL_INTERVAL", "0s", "polling more often"),
    ("WATCHBUILD_TRIGGER", "manul", "did you mean 'manual'?"),
    ("WATCHBUILD_ON_BUSY_UPDATE", "qeue", "did you mean 'queue'?"),
    ("WATCHBUILD_KEEP_GOING", "maybe", "neither true nor false"),
    ("WATCHBUILD_BUILD_CONCURRENCY", "-1", "or 0 for no limit"),
    ("WATCHBUILD_LOAD_JOBS", "0", "from 1 to 256"),
    ("WATCHBUILD_LOAD", "docker,kind:-x", "'kind:-x' names nothing"),
    ("WATCHBUILD_LOAD", "dokcer", "did you mean 'docker'?"),
    ("WATCHBUILD_OUTPUT", "xml", "none of tty, plain, json"),
  ])
  func `a bad variable is refused by name`(_ name: String, _ value: String, _ reason: String) throws
  {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "MODULE.bazel")

    let problem = try #require(
      TestCommand.problem(environment: [name: value], in: scratch.path))

    #expect(problem.contains("environment variable \(name)=\(value): "))
    #expect(problem.contains(reason))
  }

  @Test(arguments: [
    (["--debounce", "30"], "a duration needs a unit: write 30ms or 30s"),
    (["--trigger", "manul"], "did you mean 'manual'?"),
    (["--trigger", "pol"], "did you mean 'poll'?"),
    (
      ["--load", "registry:localhost:5000/A"],
      "name the registry"
    ),
    (["--load", "oci:"], "name the directory"),
    (["--load", "none", "--load", "docker"], "'none' loads nowhere"),
    (["--load-jobs", "many"], "from 1 to 256"),
    (["-q", "-v"], "exclude each other"),
    (["--debounce", "1s", "--max-delay", "500ms"], "shorter than the debounce"),
    (["--", "--define=a=b", "//services/api:image"], "is a target, not an option"),
    (["--ui=0.0.0.0:80"], "no address of this machine's loopback interface"),
    (["--bell", "alwys"], "'alwys'"),
    (["--uii"], "Unknown option '--uii'"),
  ])
  func `a bad option is refused with what to write`(_ arguments: [String], _ reason: String) throws
  {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE.bazel")

    let problem = try #require(TestCommand.problem(arguments, in: scratch.path))

    #expect(problem.contains(reason))
  }

  @Test func `a debounce longer than the default delay raises the delay`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")

    let settings = try TestCommand.settings(["--debounce", "2s"], in: scratch.path)

    #expect(settings.maxDelay == .seconds(2))
  }

  @Test func `options after the terminator follow the file's`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
    try scratch.write(
      "bazel: {options: [--config=dev], startupOptions: [--batch_cpu_scheduling]}",
      to: "watchbuild.yaml")

    let settings = try TestCommand.settings(
      ["//a:b", "--", "--jobs=2", "-k"], in: scratch.path)

    #expect(settings.bazelOptions == ["--config=dev", "--jobs=2", "-k"])
    #expect(settings.startupOptions == ["--batch_cpu_scheduling"])
    #expect(settings.selection.images.map(\.label.description) == ["//a:b"])
  }

  @Test func `relative programs and directories are made absolute where they are written`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
    try scratch.write(
      "{bazel: {command: tools/bazel}, load: {to: ['oci:out']}}", to: "watchbuild.yaml")
    let sub = try scratch.makeDirectory("a/b")

    let byFile = try TestCommand.settings([], in: sub)
    let byOption = try TestCommand.settings(
      ["--bazel", "./bazel", "--load", "oci:out"], in: sub)

    #expect(byFile.bazelCommand == "\(scratch.path)/tools/bazel")
    #expect(byFile.loadTargets.map(\.description) == ["oci:\(scratch.path)/out"])
    #expect(byOption.bazelCommand == "\(sub)/bazel")
    #expect(byOption.loadTargets.map(\.description) == ["oci:\(sub)/out"])
  }

  @Test func `the state directory is named after the workspace and lies in the state home`() throws
  {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "shop/WORKSPACE")
    let shop = scratch.path.appending("shop")

    let byHome = try TestCommand.settings([], in: shop).stateDirectory.path
    let byXDG = try TestCommand.settings(
      [], environment: ["XDG_STATE_HOME": "/var/state"], in: shop
    ).stateDirectory.path
    let relative = try TestCommand.settings(
      [], environment: ["XDG_STATE_HOME": "state"], in: shop
    ).stateDirectory.path

    let name = StateDirectory.name(of: shop)
    #expect(name.hasPrefix("shop-") && name.utf8.count == 17)
    #expect(byHome == FilePath("/home/ada/.local/state/watchbuild/\(name)"))
    #expect(byXDG == FilePath("/var/state/watchbuild/\(name)"))
    #expect(relative == byHome)
  }

  @Test(
    arguments: [
      ([], [:], true, true),
      ([], [:], false, false),
      ([], ["NO_COLOR": "1"], true, false),
      ([], ["NO_COLOR": ""], true, true),
      ([], ["TERM": "dumb"], true, false),
      (["--color", "always"], ["NO_COLOR": "1"], false, true),
      (["--color", "never"], [:], true, false),
      (["--output", "plain"], [:], true, false),
    ] as [([String], [String: String], Bool, Bool)])
  func `colour is for terminals, unless it is unwanted or asked for`(
    _ arguments: [String], _ environment: [String: String], _ isTerminal: Bool, _ expected: Bool
  ) throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")

    let settings = try TestCommand.settings(
      arguments, environment: environment, in: scratch.path, isTerminal: isTerminal)

    #expect(settings.usesColor == expected)
  }
}
