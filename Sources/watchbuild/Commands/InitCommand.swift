import ArgumentParser
import Basics
import FoundationEssentials
import Graph
import Settings
import SystemPackage

/// `watchbuild init`: writes watchbuild.yaml for the image targets found.
struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write watchbuild.yaml for the image targets found.",
    discussion: """
      Image targets are found as dev finds them without a file. With --from, what Bazel builds by a \
      skaffold.yaml or a Tiltfile is taken over instead, and what is left out is told.
      """)

  @Option(
    help: ArgumentHelp(
      "Take over the images of a skaffold.yaml or a Tiltfile.", valueName: "file"),
    completion: .file())
  var from: String?

  @Flag(help: "Print it instead of writing it.")
  var stdout = false

  @Flag(help: "Replace a file that is there.")
  var force = false

  @OptionGroup var program: BazelOptions

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let invocation = try Invocation(common)
    var given = GivenOptions(common: common, bazel: program.bazel)
    given.ignoresFile = true
    let path = try Settings.filePath(
      given, environment: invocation.environment, currentDirectory: invocation.currentDirectory)
    if !stdout, !force, Disk.type(of: path) != nil { throw Self.isThere(path) }
    let images = try await images(given, invocation)
    let text = try InitialConfiguration(images).text()
    guard !stdout else {
      return try OutputStream.standardOutput.write(Array(text.utf8))
    }
    try write(text, to: path)
    guard !common.quiet else { return }
    try OutputStream.standardOutput.write(lines: [
      Terminal.escaped("wrote \(path): \(Quantity.text(images.count, "image"))")
    ])
  }

  private func images(
    _ given: GivenOptions, _ invocation: Invocation
  ) async throws -> [InitialConfiguration.Image] {
    if let from {
      let path = invocation.directory.pushing(FilePath(from))
      let taken = try Self.taken(from: path)
      if !common.quiet, !taken.left.isEmpty {
        try OutputStream.standardError.write(
          lines: (["not taken over:"] + taken.left.map { "  \($0)" }).map(Terminal.escaped))
      }
      return taken.images
    }
    let settings = try Settings.resolve(
      given, environment: invocation.environment, currentDirectory: invocation.currentDirectory)
    let stopping = Stopping()
    let bench = try Workbench(settings, outputClosed: stopping.outputClosed)
    return try await stopping.run(showing: bench.shown) { try await bench.images() }
      .map { InitialConfiguration.Image(name: $0.name, target: $0.label.description) }
  }

  /// A Tiltfile has that name, or ends in it; every other file is one of Skaffold.
  private static func taken(from path: FilePath) throws(Problem) -> any ForeignFile {
    path.lastComponent?.string.lowercased().hasSuffix("tiltfile") == true
      ? try TiltFile.read(path) : try SkaffoldFile.read(path)
  }

  private func write(_ text: String, to path: FilePath) throws {
    do {
      try Data(text.utf8).write(
        to: URL(filePath: path.string), options: force ? .atomic : .withoutOverwriting)
    } catch {
      // Somebody may have written one while Bazel was asked.
      if !force, Disk.type(of: path) != nil { throw Self.isThere(path) }
      throw Problem("can't write \(path): \(error)", hint: "see it with --stdout")
    }
  }

  private static func isThere(_ path: FilePath) -> Problem {
    Problem(
      "\(path) is there already",
      hint: "pass --force to replace it, or --stdout to see what would be written")
  }
}
