/// One line of a build-event file: the fields of Bazel's `BuildEvent` message that we use.
///
/// All are optional: what a version of Bazel does not write is `nil`, and what it writes besides
/// is ignored.
/// Source: src/main/java/com/google/devtools/build/lib/buildeventstream/proto in Bazel
struct BuildEventLine: Decodable {
  struct Identifier: Decodable {
    struct Labelled: Decodable {
      var label: String?
      var aspect: String?
    }
    struct Patterns: Decodable { var pattern: [String]? }
    struct Named: Decodable { var id: String? }

    var targetCompleted: Labelled?
    var targetConfigured: Labelled?
    var actionCompleted: Labelled?
    var configuredLabel: Labelled?
    var unconfiguredLabel: Labelled?
    var pattern: Patterns?
    var patternSkipped: Patterns?
    var namedSet: Named?
  }

  struct File: Decodable {
    var name: String?
    var uri: String?
    var pathPrefix: [String]?
  }

  struct Failure: Decodable {
    struct Spawn: Decodable {
      /// Such as `NON_ZERO_EXIT` or `REMOTE_CACHE_EVICTED`.
      var code: String?
      var spawnExitCode: Int?
    }

    var message: String?
    var spawn: Spawn?
  }

  struct NamedSet: Decodable {
    var files: [File]?
    var fileSets: [Identifier.Named]?
  }

  struct Completed: Decodable {
    struct Group: Decodable {
      var name: String?
      var fileSets: [Identifier.Named]?
      var inlineFiles: [File]?
    }

    /// Left out where it is false.
    var success: Bool?
    var outputGroup: [Group]?
    var importantOutput: [File]?
    /// Directories that are one output; their files stand in the sets.
    var directoryOutput: [File]?
    var failureDetail: Failure?
  }

  struct Action: Decodable {
    var success: Bool?
    var exitCode: Int?
    var type: String?
    var stdout: File?
    var stderr: File?
    var failureDetail: Failure?
  }

  struct Aborted: Decodable {
    var reason: String?
    var description: String?
  }

  struct Finished: Decodable {
    struct Code: Decodable { var code: Int32? }

    var exitCode: Code?
  }

  struct Workspace: Decodable { var localExecRoot: String? }

  struct Started: Decodable {
    var uuid: String?
    /// A 64-bit number, which JSON of protocol buffers writes as text.
    var serverPid: String?
    /// Such as `7.7.1`.
    var buildToolVersion: String?
  }

  struct Options: Decodable {
    /// All that are in force, from rc files and the command line.
    var cmdLine: [String]?
    var explicitCmdLine: [String]?
  }

  struct Metrics: Decodable {
    struct Actions: Decodable {
      struct Runner: Decodable {
        /// `total`, `internal`, `remote`, `remote cache hit`, `linux-sandbox` and the like.
        var name: String?
        var count: Int?
      }

      var runnerCount: [Runner]?
    }

    var actionSummary: Actions?
  }

  var id: Identifier?
  var children: [Identifier]?
  var namedSetOfFiles: NamedSet?
  var completed: Completed?
  var action: Action?
  var aborted: Aborted?
  var finished: Finished?
  var workspaceInfo: Workspace?
  var started: Started?
  var optionsParsed: Options?
  var buildMetrics: Metrics?
  var lastMessage: Bool?
}
