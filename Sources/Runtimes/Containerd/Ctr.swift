import Basics
import Images
import Processes
import SystemPackage

/// Runs containerd's own client, `ctr`, here or inside a container that is a cluster's node.
///
/// Several steps go into one fixed shell script, whose values are its arguments.
struct Ctr: Sendable {
  /// As messages call it: `containerd`, or the node.
  var place: String
  /// Inside the container; `nil`: it runs here.
  var shell: NodeShell?
  /// The path of containerd's socket; `nil`: the one that `ctr` knows.
  var address: FilePath?
  var namespace: String
  var snapshotter: String?
  var environment: [String: String] = [:]
  /// The socket of a containerd of this machine.
  var api: ContainerdAPI?
  var runner: any CommandRunner
  var clock: any Clock<Duration> = ContinuousClock()
  let patience = LoadPatience()

  /// The time that containerd may take to answer a question.
  private static let answerLimit = Duration.seconds(60)

  /// The image that a name stands for there.
  struct Held: Hashable {
    var digest: Digest
    var isUnpacked: Bool
  }

  struct State {
    var names: [String: Held] = [:]
    var blobs: Set<Digest> = []
    /// Under which images are coming in, or once came.
    var temporaryNames: [String] = []
  }

  static let preamble = #"""
    address=$1 namespace=$2 snapshotter=$3
    shift 3
    c() { ctr ${address:+--address "$address"} --namespace "$namespace" "$@"; }
    # Of all names at once: each run of ctr costs ten milliseconds.
    check() {
      for name; do
        set -- "$@" "name==$name"
        shift
      done
      held=$(c images check ${snapshotter:+--snapshotter "$snapshotter"} "$@")
    }
    # Whether a name was there when they were checked, with these words behind it.
    holds() {
      while read -r line; do
        case $line in "$1 "*"$2"*"$3"*) return 0 ;; esac
      done <<LINES
    $held
    LINES
      return 1
    }

    """#

  /// Asks for the blobs that are lacking only where something is; its arguments are names and manifests.
  private static let stateScript =
    preamble + #"""
      names= lacks= held=
      for value; do
        case $value in sha256:*) ;; *) names="$names $value" ;; esac
      done
      if [ $# -gt 0 ]; then check $names || exit; else lacks=yes; fi
      while [ $# -gt 0 ]; do
        holds "$1" "$2" true || lacks=yes
        shift 2
      done
      if [ "$lacks" ]; then
        c content ls -q &
        c images ls -q 'name~=^docker.io/watchbuild/loading:' || { wait; exit 1; }
        wait $! || exit
      fi
      echo --
      echo "$held"
      """#

  /// - Throws: `RuntimeError` when containerd does not answer.
  func state(of loads: [LayoutLoad]) async throws -> State {
    if let api { return try await asking { try await api.state(of: loads) } }
    let wanted = loads.flatMap { load in
      load.names.flatMap { [$0, load.image.manifest.digest.description] }
    }
    let (exit, output, errors) = try await run(Self.stateScript, wanted)
    guard exit == .exited(0) else { throw unreachable(exit, errors) }
    let halves = output.split(separator: "--\n", maxSplits: 1, omittingEmptySubsequences: false)
    var state = State()
    for line in halves[0].split(separator: "\n") {
      if let digest = Digest(String(line)) {
        state.blobs.insert(digest)
      } else if line.hasPrefix(Import.prefix) {
        state.temporaryNames.append(String(line))
      }
    }
    for line in halves.dropFirst().joined().split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let name = fields.first, let last = fields.last,
        let digest = fields.lazy.compactMap({ Digest(String($0)) }).first
      else { continue }
      state.names[String(name)] = Held(digest: digest, isUnpacked: last == "true")
    }
    return state
  }

  /// Imports a tar, and moves each name to its image once that is verified.
  ///
  /// - Returns: The names that now stand for their images; why the others do not.
  /// - Throws: `ImageArchiveError` when a layer can't be read or is not what it should be;
  ///   `CommandError`; `CancellationError`.
  func load(
    _ images: [Import], _ stream: ImageStream
  ) async throws -> (done: Set<String>, reason: String) {
    if let api { return try await load(images, stream, settling: api) }
    let arguments = images.flatMap { image in
      image.names.flatMap { [image.temporaryName, $0, image.image.manifest.digest.description] }
    }
    let (exit, output, errors) = try await run(Self.importScript, arguments, input: stream)
    let reason = Self.reason(errors) ?? Self.reason(of: exit)
    return (Set(output.split(separator: "\n").map(String.init)), reason)
  }

  /// Takes back names that were left behind.
  func remove(_ names: [String]) async throws {
    if let api { return try await asking { try await api.remove(names) } }
    let (exit, _, errors) = try await run(Self.removeScript, names)
    guard exit == .exited(0) else { throw unreachable(exit, errors) }
  }

  private func load(
    _ images: [Import], _ stream: ImageStream, settling api: ContainerdAPI
  ) async throws -> (done: Set<String>, reason: String) {
    let answer: (exit: CommandExit, output: String, errors: String)
    do {
      answer = try await run(Self.bareImportScript, input: stream)
      if answer.exit == .exited(127) { throw CommandError.notFound("ctr") }
    } catch {
      // Not a child: cancelled, the names that were given must still be taken back. What can't be
      // taken back now is by the next load.
      await Task {
        try? await Silence.limiting(to: .seconds(10), clock: clock) {
          try await api.remove(images.map(\.temporaryName))
        }
      }.value
      throw error
    }
    let done = try await asking { try await api.settle(images) }
    let reason = Self.reason(answer.errors)
    return (done, reason ?? Self.reason(of: answer.exit))
  }

  private static func reason(of exit: CommandExit) -> String {
    exit == .exited(0) ? "it was stored, but not unpacked" : "\(exit)"
  }

  func asking<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    do {
      return try await Silence.limiting(to: Self.answerLimit, clock: clock, body)
    } catch let silence as Silence {
      throw unreachable("\(silence)")
    } catch let error as RemoteCalls.Broken {
      throw unreachable("\(api?.socket.string ?? place): \(error.reason)")
    } catch let error as RemoteCalls.Refusal {
      throw RuntimeError(runtime: place, kind: .refused, message: "\(place): \(error.message)")
    } catch is WireReader.Malformed {
      throw unreachable("what it says can't be read")
    }
  }

  private static let namesScript = preamble + "c images ls && echo -- && c containers ls"
  private static let removeScript = preamble + #"c images rm "$@" >&2"#

  /// Removes the names that Kubernetes gave an image by its ID, where nothing else names it.
  ///
  /// Containers that use the name which the image had keep it too: which version they run is not to
  /// be seen.
  func remove(_ image: SupersededImage, isDryRun: Bool) async throws -> Removal {
    let (exit, output, errors) = try await run(Self.namesScript)
    guard exit == .exited(0) else { throw unreachable(exit, errors) }
    let halves = output.split(separator: "--\n", maxSplits: 1, omittingEmptySubsequences: false)
    let names = halves[0].split(separator: "\n").compactMap { line -> String? in
      let fields = line.split(separator: " ")
      return fields.contains(Substring(image.id.description)) ? fields.first.map(String.init) : nil
    }
    if names.isEmpty { return .absent }
    if let name = names.first(where: { !$0.hasPrefix("sha256:") }) {
      return .kept("it is also called \(name)")
    }
    let used = Set(
      names + [image.reference.normalized] + image.otherReferences.map(\.normalized))
    for line in halves.dropFirst().first?.split(separator: "\n") ?? [] {
      let fields = line.split(separator: " ").map(String.init)
      if fields.count > 1, used.contains(fields[1]) {
        return .kept("container \(fields[0].prefix(12)) may use it")
      }
    }
    if isDryRun { return .removed }
    let removed = try await run(Self.removeScript, names)
    guard removed.exit == .exited(0) else { throw unreachable(removed.exit, removed.errors) }
    return .removed
  }

  /// - Throws: `RuntimeError` when no word comes in time, or no byte of the input moves any more;
  ///   what the shell throws.
  func run(
    _ script: String, _ arguments: [String] = [], input: ImageStream? = nil
  ) async throws -> NodeShell.Answer {
    do {
      guard var input else {
        return try await Silence.limiting(to: Self.answerLimit, clock: clock) {
          try await call(script, arguments, input: nil)
        }
      }
      let movement = LoadProgress()
      input.tell(movement)
      return try await Silence.watching(
        movement, patience, clock: clock, isAlive: { await isAnswering() }
      ) { [input] in try await call(script, arguments, input: input) }
    } catch let silence as Silence {
      throw unreachable("\(silence)")
    }
  }

  private func isAnswering() async -> Bool {
    if let api { return (try? await api.digests(of: ["none"])) != nil }
    return (try? await call(Self.preamble + "c version", [], input: nil).exit) == .exited(0)
  }

  private func call(
    _ script: String, _ arguments: [String], input: ImageStream?
  ) async throws -> NodeShell.Answer {
    let arguments = [address?.string ?? "", namespace, snapshotter ?? ""] + arguments
    if let shell { return try await shell.run(script, arguments, input: input) }
    let command = Command("sh", ["-c", script, "sh"] + arguments, environment: environment)
    return try await CommandAnswer.of(command, input: input, with: runner)
  }

  func unreachable(_ exit: CommandExit, _ errors: String) -> RuntimeError {
    unreachable(Self.reason(errors) ?? "\(exit)")
  }

  private func unreachable(_ reason: String) -> RuntimeError {
    let hint: String? =
      if reason.contains("not found") && !reason.contains("dial") {
        "install containerd, or choose another --load"
      } else if reason.contains("permission denied") {
        "containerd's socket is root's; run as root, or choose another --load"
      } else {
        shell == nil
          ? "is containerd running? (systemctl start containerd), or set CONTAINERD_ADDRESS"
          : "is it running?"
      }
    return RuntimeError(
      runtime: place, kind: .unreachable, message: "\(place) does not answer: \(reason)",
      hint: hint)
  }

  /// The last line that tells something, without `ctr: `.
  static func reason(_ errors: String) -> String? {
    let lines = errors.split(whereSeparator: \.isNewline)
    guard let line = lines.last(where: { $0.contains("ctr: ") }) ?? lines.last else { return nil }
    return String(line.trimmingPrefix("ctr: ").prefix(400))
  }
}
