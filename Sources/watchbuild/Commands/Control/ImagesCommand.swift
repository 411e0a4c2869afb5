import ArgumentParser
import Events
import FoundationEssentials
import Graph
import Runner
import Settings
import SystemPackage

/// `watchbuild images`: the images that there are, and why. Builds nothing.
struct ImagesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "List the images found: name, target, names in the runtime, why, and what is built.")

  @Argument(
    help: ArgumentHelp(
      "Only these: configured names, labels, or patterns such as //services/.... (default: all)",
      valueName: "image|label|pattern"),
    completion: .imageNames)
  var images: [String] = []

  @Flag(help: "Write one JSON object.")
  var json = false

  @OptionGroup var program: BazelOptions

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let invocation = try Invocation(common)
    let settings = try invocation.settings(loop: nil, bazel: program.bazel, images: images)
    let stopping = Stopping()
    let bench = try Workbench(settings, outputClosed: stopping.outputClosed)
    let listing = try await stopping.run(showing: bench.shown) {
      let images = try await bench.images()
      return ImageListing(images, states: await states(of: images, settings, bench.log))
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try OutputStream.standardOutput.write(json: encoder.encode(listing))
    } else {
      try OutputStream.standardOutput.write(lines: listing.lines)
    }
  }

  /// How they stand by what a running `dev` says, else by what one has saved.
  private func states(
    of images: [ImageTarget], _ settings: Settings, _ log: EventHub
  ) async -> [String: ImageStanding] {
    if let running = runningStates() { return running }
    let saved = SavedIndexes(in: settings.stateDirectory, log: log)
    var states: [String: ImageStanding] = [:]
    for (workspace, images) in Dictionary(grouping: images, by: \.key.workspace) {
      states.merge(await saved.standings(of: workspace, images: images)) { first, _ in first }
    }
    return states
  }

  /// - Returns: `nil` where no `dev` runs, or none that answers.
  private func runningStates() -> [String: ImageStanding]? {
    struct Answer: Decodable { var images: [StatusAnswer.Image] }
    // No dev is no mistake here: what the last one saved tells as well.
    guard let connection = try? ControlConnection(try Invocation(common)),
      let answer = try? connection.ask("GET", "/v1/images"),
      let images = try? JSONDecoder().decode(Answer.self, from: Data(answer)).images
    else { return nil }
    return Dictionary(
      images.map { ($0.name, $0.owed.map { .owed(because: $0.text) } ?? .current) },
      uniquingKeysWith: { first, _ in first })
  }
}
