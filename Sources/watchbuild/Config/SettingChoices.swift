/// How changes are seen.
enum Trigger: String, CaseIterable, Sendable {
  case notify
  case poll
}

enum OutputMode: String, CaseIterable, Sendable {
  case tty
  case plain
  case json
}

enum ColorChoice: String, CaseIterable, Sendable {
  case auto
  case always
  case never
}

enum Verbosity: String, Sendable {
  case quiet
  case normal
  case verbose
}
