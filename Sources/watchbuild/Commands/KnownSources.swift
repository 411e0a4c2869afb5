import Basics
import FoundationEssentials
import Graph
import Runner
import Settings
import SystemPackage

/// What Bazel has told of named targets, kept on disk beside the indexes, so that a later start need not wait for its
/// server to know what to build.
///
/// It holds as long as the saved index does: as long as no BUILD or `.bzl` file of the images is other.
struct KnownSources {
  private struct File: Codable {
    struct Entry: Codable {
      /// The other workspace that it belongs to; `nil`: the run's.
      var workspace: String?
      var label: Label
      var source: ImageSource
    }

    var version: String
    var entries: [Entry]
  }

  private static let name = "sources.json"
  private static let limit = 64 << 20

  let bench: Workbench

  /// What is known of all labels that Bazel would be asked about; `nil`: it has to be asked.
  func load() async -> [FilePath?: [Label: FoundImage]]? {
    let selection = bench.settings.selection
    guard let file = read(), file.version == watchbuildVersion,
      file.entries.allSatisfy({ !$0.source.ways.isEmpty })
    else { return nil }
    var named: [FilePath?: [Label: FoundImage]] = [:]
    for entry in file.entries {
      named[entry.workspace.map { FilePath($0) }, default: [:]][entry.label] = FoundImage(
        label: entry.label, source: entry.source)
    }
    for workspace in [nil] + selection.otherWorkspaces.map(Optional.some) {
      guard selection.labels(in: workspace).allSatisfy({ named[workspace]?[$0] != nil }) else {
        return nil
      }
    }
    // What can't be made as it is wanted is told after Bazel has been asked.
    guard
      let images = try? selection.targets(found: [], named: named, settings: bench.settings)
    else { return nil }
    let saved = SavedIndexes(in: bench.settings.stateDirectory, log: bench.log)
    for (workspace, images) in Dictionary(grouping: images, by: \.key.workspace) {
      guard await saved.current(of: workspace, images: images) != nil else { return nil }
    }
    return named
  }

  /// Keeps what Bazel has answered.
  func save(_ named: [FilePath?: [Label: FoundImage]]) {
    let entries = named.flatMap { workspace, images in
      images.values.map {
        File.Entry(workspace: workspace?.string, label: $0.label, source: $0.source)
      }
    }
    let file = File(version: watchbuildVersion, entries: entries.sorted { $0.label < $1.label })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Without the file Bazel is asked again: no reason to tell anybody.
    guard let data = try? encoder.encode(file) else { return }
    try? bench.settings.stateDirectory.open().replace(Self.name, with: data)
  }

  /// Bazel could not tell: what was known may be other now.
  func forget() {
    // As above; one that can't be removed can't be read by the next start either, or it holds.
    (try? bench.settings.stateDirectory.openExisting())?.remove(Self.name)
  }

  private func read() -> File? {
    // Whatever is wrong with it, Bazel knows.
    guard let directory = try? bench.settings.stateDirectory.openExisting(),
      let bytes = try? directory.read(Self.name, limit: Self.limit)
    else { return nil }
    return try? JSONDecoder().decode(File.self, from: Data(bytes))
  }
}
