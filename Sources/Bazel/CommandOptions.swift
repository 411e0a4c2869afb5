/// The options in force in a Bazel command, as its events tell them.
struct CommandOptions: Hashable {
  private let options: [String]
  /// Those of them that the command line itself had.
  private let explicit: Set<String>

  /// - Parameters:
  ///   - options: From rc files and the command line, in their order.
  ///   - explicit: From the command line alone.
  init(_ options: [String], explicit: [String]) {
    self.options = options
    self.explicit = Set(explicit)
  }

  init() { self.init([], explicit: []) }

  /// Outputs may lie in a cache instead of here.
  var keepsOutputsElsewhere: Bool {
    ["remote_cache", "remote_executor", "disk_cache", "remote_http_cache"].contains {
      value($0) != nil
    }
  }

  /// The command may go on after its build: it sends outputs, or waits for a build event service.
  var talksToServices: Bool { keepsOutputsElsewhere || value("bes_backend") != nil }

  /// The way in which outputs are brought here, and the place that says so, where it is not Bazel's default.
  var download: String? {
    let names = [
      "--remote_download_outputs=", "--remote_download_minimal", "--remote_download_toplevel",
      "--remote_download_all",
    ]
    guard let last = options.last(where: { option in names.contains(where: option.hasPrefix) })
    else { return nil }
    return explicit.contains(last) ? last : "\(last) in .bazelrc"
  }

  /// The last value that is not empty: an empty one takes back those before.
  private func value(_ name: String) -> Substring? {
    let prefix = "--\(name)="
    guard let last = options.last(where: { $0.hasPrefix(prefix) }) else { return nil }
    let value = last.dropFirst(prefix.count)
    return value.isEmpty ? nil : value
  }
}
