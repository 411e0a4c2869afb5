import Glibc
import Graph
import Synchronization
import SystemPackage
import TestSupport

@testable import Processes

/// A Bazel that a test plays: it answers queries with a graph, and builds with events, into the files that it is told.
///
/// A build of `//a:image` gives the archive `a.tar` of the test's directory; a test says what goes otherwise.
final class PlayedBazel: CommandRunner {
  /// How one command goes.
  struct Answer: Sendable {
    var exit: CommandExit = .exited(0)
    var error = ""
    /// Labels whose action fails.
    var failing: Set<String> = []
    /// Labels that Bazel does not come to.
    var skipped: Set<String> = []
    /// The program can't be started.
    var isMissing = false
    /// The changes that the server's watch tells it of, where it watches: its log has them.
    var seen: [FilePath] = []
    /// Done while the command runs.
    var meanwhile: @Sendable () async throws -> Void = {}
  }

  private struct State {
    var commands: [Command] = []
    var answers: [String: [Answer]] = [:]
    var graph: [QueryEntry] = []
    var hasServer = false
    var isMute = false
  }

  let directory: TemporaryDirectory
  private let state = Mutex(State())

  init(_ directory: TemporaryDirectory) { self.directory = directory }

  /// How the next commands of a kind go, `build` or `query`; those after them go well.
  func answer(_ kind: String, _ answers: Answer...) {
    state.withLock { $0.answers[kind, default: []] += answers }
  }

  func setGraph(_ graph: [QueryEntry]) { state.withLock { $0.graph = graph } }

  /// From now on it has a server, which is the test's own process, and writes down each command as Bazel does.
  func startServer() { state.withLock { $0.hasServer = true } }

  /// Its log does not tell what its watch sees.
  var isMute: Bool {
    get { state.withLock(\.isMute) }
    set { state.withLock { $0.isMute = newValue } }
  }

  /// Another hand gives the server a command.
  func runByHand() throws { try log("by hand") }

  private func log(_ text: String) throws {
    let file = directory.appending("base/command.log")
    _ = try directory.makeDirectory("base")
    file.withPlatformString { _ = unlink($0) }
    try directory.write(text, to: "base/command.log")
  }

  /// Adds to the server's log, as Bazel does before it analyses.
  private func tell(_ seen: [FilePath]) throws {
    let view = "View[modifiedAbsolutePaths=["
    let paths = seen.map(\.string).joined(separator: ", ")
    let line =
      "About to compute diff between \(view)]] and \(view)\(paths)]] for \(directory.appending("w"))\n"
    let file = try FileDescriptor.open(
      directory.appending("base/java.log"), .writeOnly, options: [.create, .append],
      permissions: .ownerReadWrite)
    _ = try file.closeAfter { try file.writeAll(line.utf8) }
  }

  /// The kinds of the commands so far, in their order.
  var kinds: [String] { state.withLock { $0.commands.map(Self.kind) } }

  /// Those of the commands so far.
  var arguments: [[String]] { state.withLock { $0.commands.map(\.arguments) } }

  private static func kind(_ command: Command) -> String {
    command.arguments.first { ["build", "query"].contains($0) } ?? "?"
  }

  func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    let kind = Self.kind(command)
    let (answer, graph) = state.withLock { state in
      state.commands.append(command)
      let answer = state.answers[kind]?.isEmpty == false ? state.answers[kind]?.removeFirst() : nil
      return (answer ?? Answer(), state.graph)
    }
    let (count, hasServer) = state.withLock { ($0.commands.count, $0.hasServer) }
    if hasServer { try log("\(count)") }
    if answer.isMissing { throw CommandError.notFound("bazel") }
    if !answer.error.isEmpty { output(.standardError(Array(answer.error.utf8))) }
    if hasServer, !isMute, command.arguments.contains("--watchfs") { try tell(answer.seen) }
    try await answer.meanwhile()
    try Task.checkCancellation()
    guard kind == "build" else {
      if [.exited(0), .exited(3)].contains(answer.exit) {
        output(.standardOutput(graph.flatMap(Self.encoded)))
      }
      return answer.exit
    }
    try write(
      events(of: command, answer, hasServer), named: "--build_event_json_file=", in: command)
    return answer.exit
  }

  // MARK: Events

  private func events(of command: Command, _ answer: Answer, _ hasServer: Bool) -> [String] {
    let root = directory.appending("base/execroot/_main")
    var events = hasServer ? [#"{"id":{"started":{}},"started":{"serverPid":"\#(getpid())"}}"#] : []
    events += [#"{"id":{"workspace":{}},"workspaceInfo":{"localExecRoot":"\#(root)"}}"#]
    for label in command.arguments.drop(while: { $0 != "--" }).dropFirst()
    where !answer.skipped.contains(label) {
      guard !answer.failing.contains(label) else {
        events += [
          #"{"id":{"actionCompleted":{"label":"\#(label)"}},"action":{"exitCode":1,"type":"Genrule"}}"#,
          #"{"id":{"targetCompleted":{"label":"\#(label)"}},"children":[{"actionCompleted":{"label":"\#(label)"}}],"completed":{}}"#,
        ]
        continue
      }
      let name = label.dropFirst(2).prefix { $0 != ":" }
      let file = directory.appending("\(name).tar")
      events.append(
        #"{"id":{"targetCompleted":{"label":"\#(label)"}},"completed":{"success":true,"#
          + #""outputGroup":[{"name":"default","inlineFiles":[{"name":"\#(name).tar","uri":"file://\#(file)"}]}]}}"#
      )
    }
    return events + [#"{"id":{"buildFinished":{}},"finished":{},"lastMessage":true}"#]
  }

  /// As Bazel does, into the file that is there already.
  private func write(_ lines: [String], named option: String, in command: Command) throws {
    guard let argument = command.arguments.first(where: { $0.hasPrefix(option) }) else { return }
    let file = try FileDescriptor.open(
      String(argument.dropFirst(option.count)), .writeOnly, options: .truncate)
    _ = try file.closeAfter { try file.writeAll(lines.map { $0 + "\n" }.joined().utf8) }
  }

  // MARK: Answers

  /// As `--output=streamed_proto` has it. Source: src/main/protobuf/build.proto in Bazel
  private static func encoded(_ entry: QueryEntry) -> [UInt8] {
    switch entry {
    case .rule(let name, let kind, let inputs):
      message(2, field(1, name) + field(2, kind) + inputs.flatMap { field(5, $0) })
    case .sourceFile(let name, let loads):
      message(3, field(1, name) + loads.flatMap { field(3, $0) })
    case .generatedFile(let name, let rule):
      message(4, field(1, name) + field(2, rule))
    }
  }

  private static func message(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    let target = [0x08, number - 1] + field(number, content)
    return length(target.count) + target
  }

  private static func field(_ number: UInt8, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + length(bytes.count) + bytes
  }

  private static func length(_ count: Int) -> [UInt8] {
    count < 128 ? [UInt8(count)] : [UInt8(count & 127) | 128, UInt8(count >> 7)]
  }
}
