import ArgumentParser
import Basics
import FoundationEssentials
import Graph
import SystemPackage

/// `watchbuild affected`: which images a change to some paths affects. Builds nothing.
struct AffectedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "affected", abstract: "Tell which images a change to some paths affects.")

  @Argument(help: ArgumentHelp("Files or directories.", valueName: "path"))
  var paths: [String]

  @Flag(help: "Show the shortest dependency path to each image.")
  var why = false

  @Flag(help: "Write one JSON object.")
  var json = false

  @OptionGroup var common: CommonOptions

  private struct Answer: Encodable {
    struct Image: Encodable {
      var image: String
      var target: String
      /// Labels from the file to the target.
      var path: [String]?
    }

    var images: [Image]
  }

  func run() async throws {
    let invocation = try Invocation(common)
    let settings = try invocation.settings(loop: nil)
    let stopping = Stopping()
    let bench = try Workbench(settings, outputClosed: stopping.outputClosed)
    let answer: Answer = try await stopping.run(showing: bench.shown) {
      try await self.answer(bench, in: invocation.directory)
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try OutputStream.standardOutput.write(json: encoder.encode(answer))
    } else {
      try OutputStream.standardOutput.write(lines: answer.images.map(line))
    }
  }

  private func answer(_ bench: Workbench, in directory: FilePath) async throws -> Answer {
    let images = try await bench.images()
    let ways = try await AffectedImages(bench: bench, images: images, directory: directory)
      .explanations(paths)
    return Answer(
      images: images.compactMap { image in
        guard let way = ways[image.name] else { return nil }
        return .init(
          image: image.name, target: image.label.description, path: why ? way : nil)
      })
  }

  private func line(_ image: Answer.Image) -> String {
    guard let path = image.path else { return Terminal.escaped(image.image) }
    return Terminal.escaped("\(image.image): " + path.joined(separator: " → "))
  }
}
