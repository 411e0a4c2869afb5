import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// A runtime under test, and how to look at what it holds from outside.
struct LoadHarness: Sendable {
  /// As in a new run, which has seen nothing yet.
  var makeRuntime: @Sendable () -> any ImageRuntime
  /// The digest of the configuration of the image that a name stands for.
  var held: @Sendable (_ name: String) async throws -> Digest?
  /// Removes an image and the content that nothing else needs.
  var remove: @Sendable (_ name: String) async throws -> Void
  /// Runs an image, where the runtime can; what it printed.
  var run: (@Sendable (_ name: String) async throws -> String)?
  var crash: Crash?
  /// Names that a load gives on its way and takes back.
  var temporaryNames: @Sendable () throws -> Set<String> = { [] }

  /// How the runtime ends without a warning, and comes back.
  struct Crash: Sendable {
    /// Prepares the end, which is then quick.
    var arm: @Sendable () throws -> @Sendable () throws -> Void
    var start: @Sendable () async throws -> Void
  }
}

/// What may have happened before a load, the same for every runtime: afterwards it holds exactly
/// what was built.
struct LoadScenario: Sendable, CustomTestStringConvertible {
  let testDescription: String
  private let body: @Sendable (Stage) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (Stage) async throws -> Void) {
    testDescription = name
    self.body = body
  }

  private var name: String { testDescription.filter { $0.isLetter }.lowercased() }

  /// What its image is called.
  var reference: String { "lab/\(name):dev" }

  func run(_ harness: LoadHarness) async throws {
    // As `main` does: a program that no longer reads what it is given is to be an error of writing.
    signal(SIGPIPE, SIG_IGN)
    try await withScratchDirectory { directory in
      try await body(
        Stage(name: name, directory: directory, harness: harness, runtime: harness.makeRuntime()))
    }
  }

  /// One scenario's runtime, images and names.
  struct Stage: Sendable {
    var name: String
    var directory: FilePath
    var harness: LoadHarness
    var runtime: any ImageRuntime

    var reference: String { "lab/\(name):dev" }

    /// Layers that no other scenario has.
    func image(_ layers: Int = 3) -> TestImage {
      TestImage(
        layers: (0..<layers).map { index in
          TestImage.layer(
            "\(name)-\(index)",
            index == 0 ? TestImage.filling(300_000, seed: name) : Array("\(name)\(index)".utf8))
        })
    }

    func open(_ bytes: [UInt8], _ file: String = "image.tar") throws -> ImageArchive {
      let path = directory.appending(file)
      try Tool.run("rm", ["-f", path.string])
      try path.write(bytes)
      return try ImageArchive.open(path)
    }

    @discardableResult
    func load(_ image: TestImage, as name: String? = nil) async throws -> LoadResult {
      try await load(open(image.dockerArchive()), as: name)
    }

    @discardableResult
    func load(_ archive: ImageArchive, as name: String? = nil) async throws -> LoadResult {
      try await runtime.load(archive, as: #require(ImageReference(name ?? reference)))
    }

    func expect(_ image: TestImage, as name: String? = nil) async throws {
      #expect(try await harness.held(name ?? reference) == image.id)
    }

    /// A load that did not come as far in a minute as it was waited for.
    private struct Stuck: Error { var result: String }

    /// Starts a load, and gives it back when it has come so far.
    func begin(
      _ archive: ImageArchive, until hasCome: @Sendable (LoadProgress.Count) -> Bool
    ) async throws -> Task<LoadResult, any Error> {
      let progress = LoadProgress()
      // Every caller awaits it.
      let task = Task {
        try await LoadProgress.$current.withValue(progress) { try await load(archive) }
      }
      for _ in 0..<60_000 {
        if hasCome(progress.count) { return task }
        try await ContinuousClock().pause(for: .milliseconds(1))
      }
      task.cancel()
      throw Stuck(result: "\(await task.result)")
    }
  }

  /// For every runtime; what only some can do is in `running` and `crashes`.
  static let all = histories + formats + layouts + [cancelled]
}
