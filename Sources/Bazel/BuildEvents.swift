import Basics
import FoundationEssentials
import SystemPackage

/// Reads build events: lines in, what they mean out. Pure.
///
/// Unknown events are passed over, and so is a line that can't be read: the targets that it may
/// have been about are settled at the end of the build.
struct BuildEvents {
  /// The content of one event. Labels are as Bazel wrote them.
  enum Fact: Hashable {
    /// Output files by output group.
    case built(label: String, outputs: [String: [FilePath]])
    /// - `causes`: labels of actions that failed, or of targets that could not be analysed.
    /// - `remote`: it was a remote service that failed.
    case failed(
      label: String, message: String?, causes: [String], remote: RemoteTrouble? = nil)
    case actionFailed(label: String, FailedAction)
    /// - `reason`: `nil` where Bazel gives none, as before the real failure of the same target.
    case aborted(labels: [String], reason: String?, description: String?, causes: [String])
    /// The root cause of another target's failure, which is none itself.
    case rootCause(label: String, description: String)
    case executionRoot(FilePath)
    /// The first event of a command.
    ///
    /// Bazel may run the command a second time in one client, with a file begun anew.
    case started(id: String?, server: Int32?, version: String?)
    case options(CommandOptions)
    case ran(ActionCounts)
    /// The command's exit code.
    case finished(Int32)
    /// Nothing follows.
    case last
  }

  struct FailedAction: Hashable {
    /// The mnemonic, such as `Genrule` or `CppCompile`.
    var type: String?
    /// The program's own exit code where there was one, else 1.
    var exitCode: Int
    var message: String?
    /// Files with the action's output. Bazel removes them before long.
    var output: [FilePath]
    /// It was a remote service that failed, and no program.
    var remote: RemoteTrouble?
  }

  /// Sets of files come before the targets that name them.
  private var sets: [String: BuildEventLine.NamedSet] = [:]
  private var executionRoot: FilePath?

  /// Takes the next line of the event file.
  mutating func add(_ line: [UInt8]) -> [Fact] {
    if Self.isIgnored(line) {
      // Any event may be the last: that of a failed command often is progress.
      return line.suffix(Self.last.count).elementsEqual(Self.last) ? [.last] : []
    }
    // A damaged line is no reason to end: see above.
    guard let event = try? JSONDecoder().decode(BuildEventLine.self, from: Data(line))
    else { return [] }
    return facts(of: event) + (event.lastMessage == true ? [.last] : [])
  }

  /// Tells by its first bytes that an event has nothing for us: most have not, and these are the
  /// largest. Progress repeats what Bazel wrote to standard error.
  private static func isIgnored(_ line: [UInt8]) -> Bool {
    let start = #"{"id":{""#.utf8
    guard line.starts(with: start) else { return false }
    let kinds = [
      "progress", "unstructuredCommandLine", "structuredCommandLine", "workspaceStatus",
      "configuration\"", "buildMetadata", "fetch",
    ]
    return kinds.contains { line.dropFirst(start.count).starts(with: $0.utf8) }
  }

  private static let last = Array(#""lastMessage":true}"#.utf8)

  private mutating func facts(of event: BuildEventLine) -> [Fact] {
    if let root = event.workspaceInfo?.localExecRoot {
      executionRoot = FilePath(root)
      return [.executionRoot(FilePath(root))]
    }
    if let set = event.namedSetOfFiles, let name = event.id?.namedSet?.id { sets[name] = set }
    if let started = event.started {
      return [
        .started(
          id: started.uuid, server: started.serverPid.flatMap { Int32($0) },
          version: started.buildToolVersion.flatMap { $0.isEmpty ? nil : $0 })
      ]
    }
    if let options = event.optionsParsed {
      return [
        .options(
          CommandOptions(options.cmdLine ?? [], explicit: options.explicitCmdLine ?? []))
      ]
    }
    if let runners = event.buildMetrics?.actionSummary?.runnerCount {
      return [
        .ran(ActionCounts(runners.map { ($0.name ?? "", $0.count ?? 0) }))
      ]
    }
    if let finished = event.finished { return [.finished(finished.exitCode?.code ?? 0)] }
    if let aborted = event.aborted { return self.aborted(event, aborted) }
    if let action = event.action, let label = event.id?.actionCompleted?.label,
      action.success != true
    {
      return [.actionFailed(label: label, failedAction(action))]
    }
    guard let completed = event.completed, let id = event.id?.targetCompleted, let label = id.label,
      // An aspect's outcome is not its target's.
      id.aspect?.isEmpty ?? true
    else { return [] }
    if completed.success == true {
      return [.built(label: label, outputs: outputs(of: completed))]
    }
    return [
      .failed(
        label: label, message: completed.failureDetail?.message,
        causes: event.children?.compactMap { $0.actionCompleted?.label } ?? [],
        remote: RemoteTrouble(
          message: completed.failureDetail?.message, code: completed.failureDetail?.spawn?.code,
          exitCode: nil))
    ]
  }

  private func aborted(_ event: BuildEventLine, _ aborted: BuildEventLine.Aborted) -> [Fact] {
    let id = event.id
    // An aspect's outcome is not its target's.
    guard (id?.targetCompleted ?? id?.targetConfigured)?.aspect?.isEmpty ?? true else { return [] }
    if let cause = id?.unconfiguredLabel?.label ?? id?.configuredLabel?.label {
      return aborted.description.map { [.rootCause(label: cause, description: $0)] } ?? []
    }
    // A target that could not be analysed may have no other event than that of its configuration.
    let labels =
      (id?.targetCompleted ?? id?.targetConfigured)?.label.map { [$0] } ?? id?.pattern?.pattern
      ?? id?.patternSkipped?.pattern
    guard let labels else { return [] }
    let causes = event.children?.compactMap {
      $0.unconfiguredLabel?.label ?? $0.configuredLabel?.label ?? $0.actionCompleted?.label
    }
    return [
      .aborted(
        labels: labels, reason: aborted.reason == "UNKNOWN" ? nil : aborted.reason,
        description: aborted.description,
        causes: causes ?? [])
    ]
  }

  private func failedAction(_ action: BuildEventLine.Action) -> FailedAction {
    FailedAction(
      type: action.type,
      exitCode: action.failureDetail?.spawn?.spawnExitCode ?? action.exitCode ?? 1,
      message: action.failureDetail?.message,
      output: [action.stderr, action.stdout].compactMap { $0.flatMap(path) },
      remote: RemoteTrouble(
        message: action.failureDetail?.message, code: action.failureDetail?.spawn?.code,
        exitCode: action.exitCode))
  }
}

// MARK: - Files

extension BuildEvents {
  private func outputs(of completed: BuildEventLine.Completed) -> [String: [FilePath]] {
    var outputs: [String: [FilePath]] = [:]
    for group in completed.outputGroup ?? [] {
      let names = group.fileSets?.compactMap(\.id) ?? []
      let inline = group.inlineFiles?.compactMap(path) ?? []
      outputs[group.name ?? "default", default: []] += files(in: names) + inline
    }
    // Bazel 8 no longer writes this field, and old versions may write nothing else.
    if outputs.isEmpty, let files = completed.importantOutput {
      outputs["default"] = files.compactMap(path)
    }
    // A directory of which no file is told, as where it is empty or its files are left elsewhere.
    let directories = (completed.directoryOutput ?? []).compactMap(path).filter { directory in
      !outputs.values.joined().contains { $0.starts(with: directory) }
    }
    if !directories.isEmpty { outputs["default", default: []] += directories }
    return outputs
  }

  /// The files of sets and of the sets that these name, each once.
  private func files(in names: [String]) -> [FilePath] {
    var (waiting, visited) = (names, Set(names))
    var files: [FilePath] = []
    var seen: Set<FilePath> = []
    while let name = waiting.popLast() {
      guard let set = sets[name] else { continue }
      files += (set.files ?? []).compactMap(path).filter { seen.insert($0).inserted }
      waiting += (set.fileSets ?? []).compactMap(\.id).filter { visited.insert($0).inserted }
    }
    return files
  }

  private func path(_ file: BuildEventLine.File) -> FilePath? {
    if let uri = file.uri, uri.hasPrefix("file:") { return Self.path(uri: uri) }
    // With a remote cache the URI may name that. Bazel downloads what was asked for, to the place
    // where it would have made it.
    guard let executionRoot, let name = file.name else { return nil }
    var path = executionRoot
    for part in file.pathPrefix ?? [] { path.append(part) }
    return path.appending(name)
  }

  /// The path of a `file:` URI, percent signs decoded.
  static func path(uri: String) -> FilePath? {
    var rest = uri.dropFirst(5)
    if rest.hasPrefix("//") {
      // A host, which is empty on one machine, ends at the path's first slash.
      guard let slash = rest.dropFirst(2).firstIndex(of: "/") else { return nil }
      rest = rest[slash...]
    }
    return FilePath(String(rest).percentDecoded)
  }
}
