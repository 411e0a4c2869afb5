extension Event {
  /// A run begins. It is the first event, but for what Bazel says while images are looked for.
  package struct Started: EventFields {
    package static let type = "started"

    package struct Image: Sendable, Encodable {
      /// As configured, or the name of its package.
      package var name: String
      /// Its label.
      package var target: String
      /// The name in the runtime, where one is configured.
      package var ref: String?

      package init(name: String, target: String, ref: String? = nil) {
        self.name = name
        self.target = target
        self.ref = ref
      }
    }

    /// watchbuild's own.
    package var version: String
    /// The directory.
    package var workspace: String
    /// The images of the run.
    package var images: [Image]
    /// Where images are loaded into.
    package var runtimes: [String]

    package init(version: String, workspace: String, images: [Image], runtimes: [String]) {
      self.version = version
      self.workspace = workspace
      self.images = images
      self.runtimes = runtimes
    }
  }
}
