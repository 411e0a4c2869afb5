extension Event {
  /// Start-up is over: the index stands, the first build (unless `--postpone`) has ended, changes are seen.
  package struct Ready: EventFields {
    package static let type = "ready"

    package init() {}
  }
}
