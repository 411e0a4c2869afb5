/// One cycle as swim lanes: when each thing began and ended, in milliseconds from the first save.
package struct CycleLanes: Equatable, Encodable, Sendable {
  package struct Span: Equatable, Encodable, Sendable {
    var name: String
    /// The kind decides the colour: `window`, `index`, `lock`, `hook`, `bazel`, a phase, `build`, `load`, `rollout`.
    var kind: String
    var from: Int
    /// `nil`: it goes on.
    var to: Int?
    var failed: Bool = false
  }

  package struct Lane: Equatable, Encodable, Sendable {
    package var name: String
    package var spans: [Span]
  }

  /// Bazel's analysis cache was thrown away.
  package struct Cold: Equatable, Encodable, Sendable {
    package var option: String
    package var cause: String?
    package var message: String
    package var costMs: Int?
  }

  package var number: Int
  package var cause: String
  /// At most ten paths; `changeCount` counts all.
  package var changes: [String]
  package var changeCount: Int
  package var imageCount: Int
  /// `running`, `ok`, `failed` or `cancelled`.
  package var status: String
  /// RFC 3339, of the first save.
  package var start: String
  package var totalMs: Int?
  package var ok: Int
  package var failed: Int
  package var cold: Cold?
  /// The lanes of the whole cycle: window, index, lock, Bazel with its phases.
  package var shared: [Lane]
  /// One for each image; of a cycle that has ended the longest alone.
  package var images: [Lane]
  /// So many lanes of images are left out.
  package var hidden: Int
}
