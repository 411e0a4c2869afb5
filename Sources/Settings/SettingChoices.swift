/// How changes are seen.
package enum Trigger: String, CaseIterable, Sendable {
  case notify
  case poll
  /// By notification; builds only when `watchbuild trigger` asks for them.
  case manual
}

/// Whether Bazel's server watches the workspace, too.
package enum ServerWatchChoice: String, CaseIterable, Sendable {
  /// In large workspaces.
  case auto
  case always
  case never
}

package enum OutputMode: String, CaseIterable, Sendable {
  case tty
  case plain
  case json
}

package enum ColorChoice: String, CaseIterable, Sendable {
  case auto
  case always
  case never
}

/// When a terminal rings.
package enum BellChoice: String, CaseIterable, Sendable {
  case never
  /// When the state changes between all well and broken.
  case change
  /// After each cycle.
  case always
}

package enum Verbosity: String, CaseIterable, Sendable {
  case quiet
  case normal
  case verbose
}
