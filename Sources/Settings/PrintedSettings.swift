import Basics
import Batching
import FoundationEssentials
import Graph
import Runtimes
import SystemPackage

/// The settings in force, as `watchbuild.yaml` would say them.
package struct PrintedSettings: Encodable {
  private struct Bazel: Encodable {
    var command: String
    var startupOptions: [String]
    var options: [String]
  }

  private struct Watch: Encodable {
    var trigger: String
    var pollInterval: String
    var ignore: [String]
  }

  private struct Batch: Encodable {
    var debounce: String
    var maxDelay: String
    var onBusyUpdate: String
    var buildConcurrency: Int
    var keepGoing: Bool
  }

  private struct Load: Encodable {
    var to: [String]
    var jobs: Int
  }

  private struct Prune: Encodable {
    var keep: Int
    var olderThan: String
  }

  /// One text as such, several as a list.
  private struct OneOrMore: Encodable {
    let texts: [String]

    init?(_ texts: [String]) {
      if texts.isEmpty { return nil }
      self.texts = texts
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if texts.count == 1 { try container.encode(texts[0]) } else { try container.encode(texts) }
    }
  }

  private struct Image: Encodable {
    var name: String?
    var target: String?
    var outputGroup: String?
    var ref: OneOrMore?
    var from: String?
    var options: [String]?
    var platform: String?
    var workspace: String?
    var requires: [String]?
    var rollout: PrintedRollout?
    var query: String?
    var exclude: [String]?
  }

  private var bazel: Bazel
  private var watch: Watch
  private var batch: Batch
  private var images: [Image]
  private var load: Load
  private var rollout: PrintedRule
  private var hooks: PrintedHooks?
  private var prune: Prune

  package init(_ settings: Settings) {
    bazel = Bazel(
      command: settings.bazelCommand, startupOptions: settings.startupOptions,
      options: settings.bazelOptions)
    watch = Watch(
      trigger: settings.trigger.rawValue,
      pollInterval: DurationText.text(settings.pollInterval), ignore: settings.ignore)
    batch = Batch(
      debounce: DurationText.text(settings.debounce),
      maxDelay: DurationText.text(settings.maxDelay),
      onBusyUpdate: settings.onBusyUpdate.rawValue,
      buildConcurrency: settings.buildConcurrency, keepGoing: settings.keepsGoing)
    images = settings.entries.map { entry in
      switch entry {
      case .target(let image): Self.image(image)
      case .query(let query):
        Image(
          query: query.expression,
          exclude: Self.unlessEmpty(query.exclude.map(\.description)))
      }
    }
    load = Load(to: settings.loadTargets.map(\.description), jobs: settings.loadJobs)
    rollout = PrintedRule(settings.rollout)
    hooks = PrintedHooks(settings.hooks)
    prune = Prune(
      keep: settings.prune.keep, olderThan: DurationText.text(settings.prune.olderThan))
  }

  package func yaml() throws -> String { try YAMLDocument.text(encoding: self) }

  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  private static func image(_ image: ConfiguredImage) -> Image {
    Image(
      name: image.name, target: image.label.description, outputGroup: image.outputGroup,
      ref: OneOrMore(image.references), from: image.from == .auto ? nil : image.from.rawValue,
      options: unlessEmpty(image.options), platform: image.platform,
      workspace: image.workspace?.string, requires: unlessEmpty(image.requires),
      rollout: image.rollout.map(PrintedRollout.init))
  }

  private static func unlessEmpty(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }
}
