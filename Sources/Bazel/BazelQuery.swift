import Basics
import Glibc
package import Graph
import Processes
import Synchronization
import SystemPackage

/// The result of an index query.
package struct QueryAnswer: Hashable, Sendable {
  /// Some packages could not be loaded; what was answered is right but not all.
  package var isPartial: Bool
  /// Mistakes in those packages. Their files must be watched too, or a fix goes unseen.
  package var diagnostics: [Diagnostic]
  /// The first of Bazel's complaints, in one line.
  package var problem: String?
  package var duration: Duration

  package init(
    isPartial: Bool = false, diagnostics: [Diagnostic] = [], problem: String? = nil,
    duration: Duration = .zero
  ) {
    self.isPartial = isPartial
    self.diagnostics = diagnostics
    self.problem = problem
    self.duration = duration
  }
}

extension Bazel {
  /// Asks for all that the index needs to know of the images: one `bazel query`.
  ///
  /// - Parameters:
  ///   - images: The targets whose dependencies are wanted.
  ///   - others: Query expressions for targets that are wanted with theirs.
  ///   - waitsForLock: `false`: throw at once when another command holds Bazel's lock.
  ///   - update: Called with what Bazel says meanwhile, one call at a time: that the lock has to be
  ///     waited for, and what is wrong in packages.
  ///   - entry: Called for each entry as it is read, one call at a time. An entry may come twice.
  /// - Returns: Whether the answer is whole.
  /// - Throws: `BazelError` when there is no answer, with what Bazel complains of; `CommandError`; `CancellationError`.
  package func query(
    _ images: [Label], and others: [String] = [],
    waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in },
    entry: @escaping @Sendable (QueryEntry) -> Void
  ) async throws -> QueryAnswer {
    let set = images.map { QueryWord.quoted($0.description) }.joined(separator: " ")
    let all = (["set(\(set))"] + others).joined(separator: " union ")
    let isEmpty = Mutex(true)
    let answer = try await targets(
      // Asked this way, because `deps(set(…))` gives each target once for every image.
      "let d = deps(\(all)) in $d union buildfiles($d)",
      attributes: "none", newer: namesModules ? ["--consistent_labels"] : [],
      waitsForLock: waitsForLock, update: update
    ) { target in
      isEmpty.withLock { $0 = false }
      entry(target.entry)
    }
    guard images.isEmpty || answer.isPartial || !isEmpty.withLock({ $0 }) else {
      throw BazelError(
        exitCode: 0,
        problem: "'\(executable) query' succeeded and answered nothing; "
          + "check the 'query' and 'common' lines of .bazelrc",
        diagnostics: answer.diagnostics)
    }
    return answer
  }

  /// True if repositories may have other names here than in `external/`: then their names must be
  /// asked for as they are there, where Bazel can tell.
  private var namesModules: Bool {
    BuildFileName.isFile(workspace.appending("MODULE.bazel"))
  }

  /// Runs one query whose answer is a stream of targets.
  ///
  /// - `attributes`: which of the rules' attributes to answer with.
  /// - `newer`: options that not every Bazel knows; asked again without where it does not.
  func targets(
    _ expression: String, attributes: String, newer: [String] = [], waitsForLock: Bool,
    update: @escaping @Sendable (BuildUpdate) -> Void,
    target: @escaping @Sendable (QueryStream.Target) -> Void
  ) async throws -> QueryAnswer {
    let known = unknownOptions.known(newer, of: executable, in: workspace)
    do {
      return try await answer(
        to: expression, attributes: attributes, options: known, waitsForLock: waitsForLock,
        update: update, target: target)
    } catch let error as BazelError where error.exitCode == 2 {
      guard
        unknownOptions.learn(
          from: error.problem, options: known, of: executable, in: workspace)
      else {
        throw error
      }
      return try await targets(
        expression, attributes: attributes, newer: newer, waitsForLock: waitsForLock,
        update: update, target: target)
    }
  }

  private func answer(
    to expression: String, attributes: String, options: [String], waitsForLock: Bool,
    update: @escaping @Sendable (BuildUpdate) -> Void,
    target: @escaping @Sendable (QueryStream.Target) -> Void
  ) async throws -> QueryAnswer {
    let elapsed = clock.stopwatch()
    // The kernel takes at most 128 KiB in one argument.
    let file = expression.utf8.count > 64 << 10 ? try QueryFile(expression, in: scratch) : nil
    defer { file?.remove() }
    let command = queryCommand(
      attributes: attributes, options: options, waitsForLock: waitsForLock,
      expression: file.map { ["--query_file=\($0.path)"] } ?? ["--query_file=", expression])
    let stream = Mutex<(QueryStream, isMalformed: Bool)>((QueryStream(), false))
    let listener = BuildUpdate.listener(waitsForLock: waitsForLock, update)
    let (exit, output) = try await run(command, update: listener) { bytes in
      stream.withLock { state in
        guard !state.isMalformed else { return }
        do throws(QueryStream.Malformed) {
          try state.0.add(bytes).forEach(target)
        } catch {
          state.isMalformed = true
        }
      }
    }
    guard [0, 3].contains(exit.code) else {
      throw BazelError(
        exitCode: exit.code,
        problem: BazelExit.problem(exit, output, isBuildComplete: false)
          ?? output.problem ?? "bazel query failed and did not say why",
        diagnostics: output.diagnostics)
    }
    guard stream.withLock({ !$0.isMalformed && $0.0.isAtEnd }) else {
      throw BazelError(
        exitCode: exit.code,
        problem: "the answer of '\(executable) query' can't be read; "
          + "check that nothing but Bazel writes to its standard output",
        diagnostics: output.diagnostics)
    }
    return QueryAnswer(
      isPartial: exit.code == 3, diagnostics: output.diagnostics, problem: output.errors.first,
      duration: elapsed())
  }

  /// - `expression`: the query, or the option that names its file.
  func queryCommand(
    attributes: String, options: [String], waitsForLock: Bool, expression: [String]
  ) -> Command {
    Command(
      executable,
      startupOptions + (waitsForLock ? [] : ["--noblock_for_lock"]) + [
        "query", "--noshow_progress", "--noshow_timestamps", "--color=no", "--keep_going",
        "--output=streamed_proto", "--order_output=no", "--noproto:default_values",
        "--noproto:locations", "--proto:output_rule_attrs=\(attributes)",
      ] + Self.whole + options + expression,
      in: workspace)
  }

  /// The answer is to hold all that an image is made of, whatever `query` and `common` lines of a
  /// `.bazelrc` leave out. Every Bazel from 4 on knows these.
  private static let whole = [
    "--implicit_deps", "--tool_deps", "--nodep_deps", "--include_aspects",
    "--aspect_deps=conservative", "--nostrict_test_suite", "--proto:rule_inputs_and_outputs",
    "--universe_scope=", "--noinfer_universe_scope",
  ]
}

/// A query too long for the command line.
private struct QueryFile {
  let path: FilePath
  private let directory: OpenDirectory
  private static var name: String { "query-\(getpid())" }

  init(_ query: String, in scratch: PrivateDirectory) throws {
    path = scratch.path.appending(Self.name)
    do {
      directory = try scratch.open()
      try directory.replace(Self.name, with: query.utf8)
    } catch {
      throw BazelError(cannotWrite: path, error)
    }
  }

  func remove() { directory.remove(Self.name) }
}
