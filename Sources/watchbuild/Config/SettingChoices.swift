import ArgumentParser

/// What to do about a change while a build runs.
enum BusyUpdatePolicy: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Interrupts the build if the change affects an image that it has not finished.
  case restart
  case queue
  case ignore
}

/// How changes are seen.
enum Trigger: String, CaseIterable, Sendable {
  case notify
  case poll
}

enum OutputMode: String, CaseIterable, ExpressibleByArgument, Sendable {
  case tty
  case plain
  case json
}

enum ColorChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
  case auto
  case always
  case never
}

enum Verbosity: String, Sendable {
  case quiet
  case normal
  case verbose
}
