// Events that have a reason and nothing else.

extension Event {
  /// Something does not work as it should; watchbuild goes on without it.
  package struct Degraded: EventFields {
    package static let type = "degraded"

    package var reason: String
  }

  /// Changes were lost and everything is looked at again.
  package struct Overflow: EventFields {
    package static let type = "overflow"

    package var reason: String
  }

  /// Saves are noted, and nothing is built.
  package struct Paused: EventFields {
    package static let type = "paused"

    package var reason: String
  }

  /// Builds go on.
  package struct Resumed: EventFields {
    package static let type = "resumed"

    package var reason: String
  }

  /// The run ends.
  package struct Stopping: EventFields {
    package static let type = "stopping"

    package var reason: String
  }
}
