extension Event {
  /// What runs an image is brought to the one just loaded.
  package struct RolledOut: EventFields {
    package static let type = "rollout"

    package enum Status: String, Sendable, Encodable {
      case started
      /// What runs was this image already.
      case unchanged
      /// It was restarted, and not looked at any further.
      case done
      case live, failed, cancelled
    }

    /// Its name.
    package var image: String
    /// `container`, `compose`, `kubernetes`, `signal` or `command`.
    package var kind: String
    /// What is rolled out, such as a container, a service or a deployment.
    package var target: String
    /// How far it got.
    package var status: Status
    /// How long it took.
    package var ms: Int?
    /// So many files were written into what runs, or removed there, instead of a restart.
    package var files: Int?
    /// Why it failed.
    package var error: String?

    package init(
      image: String, kind: String, target: String, status: Status, ms: Int? = nil,
      files: Int? = nil, error: String? = nil
    ) {
      self.image = image
      self.kind = kind
      self.target = target
      self.status = status
      self.ms = ms
      self.files = files
      self.error = error
    }
  }
}
