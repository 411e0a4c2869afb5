import Bazel
import Graph

extension BuildRequest {
  /// Has actions run though a remote or disk cache knows them. Neither discards the analysis cache.
  /// Tried with Bazel 4.2.3 and 7.7.1: the second, newer, takes the disk cache's word in spite of the first option.
  static let withoutCaches = ["--noremote_accept_cached", "--disk_cache="]

  /// What makes images.
  ///
  /// - Parameters:
  ///   - ways: How each is made.
  ///   - options: To stand behind the group's own.
  init(
    _ ways: [ImageSource.Way], key: BatchKey, setup: BuildSetup, adding options: [String] = []
  ) {
    self.init(
      targets: Set(ways.flatMap(\.products).map(\.label)).sorted(),
      options: key.buildOptions + options,
      outputGroups: ways.reduce(into: Set<String>()) { $0.formUnion($1.outputGroups) }.sorted(),
      keepsGoing: setup.keepsGoing, waitsForLock: setup.waitsForLock)
  }
}
