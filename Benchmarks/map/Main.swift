import Basics
import Bazel
import Glibc
import Graph
import Processes
import Synchronization
import SystemPackage
import Watcher

/// `bench-map WORKSPACE IMAGES QUERY-ANSWER STATE [memory]`: what a changed path costs, for `run.py`.
///
/// With `memory`: what the index takes that an earlier run has saved, and nothing else.
///
/// Prints `name=value` lines: times in milliseconds, sizes in bytes.
@main struct Main {
  static func main() async throws {
    let words = CommandLine.arguments
    guard words.count >= 5, let count = Int(words[2]) else {
      print("usage: bench-map WORKSPACE IMAGES QUERY-ANSWER STATE [memory]")
      exit(2)
    }
    let mapping = try Mapping(
      workspace: FilePath(words[1]), images: count, answer: FilePath(words[3]),
      state: FilePath(words[4]))
    if words.last == "memory" { return try await mapping.measureMemory() }
    try await mapping.parse()
    try await mapping.persist()
    mapping.lookUp()
  }
}

/// The index of one workspace, made from a recorded answer.
private final class Mapping {
  private let workspace: FilePath
  private let images: [ImageTarget]
  private let answer: [UInt8]
  private let file: IndexFile
  private var index: TargetIndex

  init(workspace: FilePath, images count: Int, answer: FilePath, state: FilePath) throws {
    self.workspace = workspace
    images = (0..<count).compactMap { number in
      Label("//img/i\(number):image").map {
        ImageTarget(name: "i\(number)", label: $0, key: BatchKey(workspace: workspace))
      }
    }
    let stream = try FileDescriptor.open(answer, .readOnly)
    self.answer = try stream.closeAfter {
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 1 << 20)
      while case let count = try chunk.withUnsafeMutableBytes({ try stream.read(into: $0) }),
        count > 0
      {
        bytes += chunk[..<count]
      }
      return bytes
    }
    file = IndexFile("index", in: PrivateDirectory(below: state, "index"))
    index = TargetIndex.Builder(workspace: workspace).build(images: [])
  }

  // MARK: Figures

  /// The recorded answer through the code that reads Bazel's, in chunks of a pipe.
  func parse() async throws {
    let bazel = Bazel(
      workspace: workspace, executable: "bazel", startupOptions: [],
      runner: Replay(answer: answer), clock: ContinuousClock(),
      scratch: PrivateDirectory(below: workspace, "scratch"))
    var times: [Double] = []
    for _ in 0..<9 {
      let collected = Mutex(TargetIndex.Builder(workspace: workspace))
      let before = Self.now
      _ = try await bazel.query(images.map(\.label)) { entry in
        collected.withLock { $0.add(entry) }
      }
      let builder = collected.withLock { $0 }
      index = builder.build(images: images, workspaceFiles: ["WORKSPACE"])
      times.append(Self.now - before)
    }
    print("parse=\(Self.median(times))")
    print("files=\(index.fileCount)")
    print("labels=\(index.labelCount)")
  }

  func persist() async throws {
    let before = Self.now
    try file.save(index, of: images, owed: [], since: .infinity)
    print("save=\(Self.now - before)")
    var times: [Double] = []
    for _ in 0..<9 {
      let before = Self.now
      let saved = try await file.load(workspace, images: images)
      times.append(Self.now - before)
      guard saved.changes.isEmpty else {
        print("bench-map: nothing has changed, and yet \(saved.changes.count) changes are told")
        exit(1)
      }
      index = saved.index
    }
    print("load=\(Self.median(times))")
  }

  func measureMemory() async throws {
    let before = Self.resident
    index = try await file.load(workspace, images: images).index
    print("memory=\(Self.resident - before)")
  }

  func lookUp() {
    var sources: [FileChange] = []
    index.forEachFile { number, label in
      guard number.isMultiple(of: 7), !label.path.hasSuffix(".bzl"), !label.path.hasSuffix("BUILD")
      else { return }
      sources.append(FileChange(path: workspace.pushing(FilePath(label.path)), kind: .modified))
    }
    var reached = 0
    let times = sources.prefix(5000).map { change in
      let before = Self.now
      let effect = index.effect(of: change, asking: .disk)
      let time = Self.now - before
      reached += effect.images.count
      return time
    }
    print("source=\(Self.median(times))")
    print("source_p99=\(times.sorted()[times.count * 99 / 100])")
    print("source_images=\(Double(reached) / Double(times.count))")
    let bzl = FileChange(path: workspace.pushing("rules/library.bzl"), kind: .modified)
    let loads = (0..<51).map { _ in
      let before = Self.now
      let effect = index.effect(of: bzl, asking: .disk)
      let time = Self.now - before
      guard effect.images.count == images.count else {
        print("bench-map: the .bzl file reaches \(effect.images.count) images, not all")
        exit(1)
      }
      return time
    }
    print("bzl=\(Self.median(loads))")
  }

  // MARK: Measuring

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }

  /// Bytes of physical memory that this process has.
  private static var resident: Int {
    guard let file = fopen("/proc/self/statm", "re") else { return 0 }
    defer { fclose(file) }
    var (total, resident) = (0, 0)
    withUnsafeMutablePointer(to: &total) { total in
      withUnsafeMutablePointer(to: &resident) { resident in
        withVaList([total, resident]) { _ = vfscanf(file, "%ld %ld", $0) }
      }
    }
    return resident * sysconf(Int32(_SC_PAGESIZE))
  }

  private static func median(_ values: [Double]) -> Double {
    values.sorted()[values.count / 2]
  }
}

/// Answers every command with the same bytes, as a pipe would give them.
private struct Replay: CommandRunner {
  let answer: [UInt8]

  func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    for start in stride(from: 0, to: answer.count, by: 64 << 10) {
      output(.standardOutput(Array(answer[start..<min(start + 64 << 10, answer.count)])))
    }
    return .exited(0)
  }
}
