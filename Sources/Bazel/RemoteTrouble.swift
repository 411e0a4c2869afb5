import Processes

/// A failure of a remote cache or executor, by what Bazel says of it: pure.
///
/// No image is to blame for it, no save will mend it, and another try may.
package struct RemoteTrouble: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case unreachable
    /// The credentials are not accepted.
    case refused
    /// The cache has lost what a build needs.
    case evicted
  }

  package var kind: Kind
  /// Such as `UNAVAILABLE: io exception`; one line.
  package var reason: String

  package init(_ kind: Kind, reason: String) {
    self.kind = kind
    self.reason = reason
  }

  /// Whether a failed action is a service's failure.
  ///
  /// - Parameters:
  ///   - message: Bazel's, not the program's.
  ///   - code: Bazel's name for the failure. Source: `Spawn.Code` in failure_details.proto
  ///   - exitCode: Bazel's for the action.
  init?(message: String?, code: String?, exitCode: Int?) {
    let text = Redaction.text(String((message ?? "").prefix { !$0.isNewline }))
    let found = Self.found(in: text)
    switch (code, exitCode) {
    case ("REMOTE_CACHE_EVICTED", _), (nil, 39):
      self.init(.evicted, reason: found?.reason ?? text)
    // Also what a local sandbox may fail with.
    case ("EXECUTION_FAILED", _) where found == nil && !text.contains("remote"): return nil
    case ("REMOTE_CACHE_FAILED", _), ("EXECUTION_FAILED", _), (nil, 34):
      self.init(found?.kind ?? .unreachable, reason: found?.reason ?? text)
    // A program's own end has its exit code and needs no words.
    case ("NON_ZERO_EXIT", _), ("TIMEOUT", _), ("OUT_OF_MEMORY", _): return nil
    default:
      // Since Bazel 8 some are a plain failure with exit code 1.
      guard let found, found.isCertain else { return nil }
      self.init(found.kind, reason: found.reason)
    }
  }

  /// By a line of Bazel's standard error.
  ///
  /// - Parameter isCertain: The exit code says that it was a service.
  init?(line: String, isCertain: Bool = false) {
    guard let found = Self.found(in: Redaction.text(line)), isCertain || found.isCertain else {
      return nil
    }
    self.init(found.kind, reason: found.reason)
  }

  /// The trouble, without its remedy.
  package var text: String {
    switch kind {
    case .unreachable: "the remote service does not answer (\(reason))"
    case .refused: "the remote service refuses the credentials (\(reason))"
    case .evicted: "the remote cache no longer has what the build needs (\(reason))"
    }
  }

  // MARK: Words

  private struct Found {
    var kind: Kind
    var reason: String
    /// Nobody but Bazel's remote module says that.
    var isCertain: Bool
  }

  private static func found(in text: String) -> Found? {
    for words in evictions {
      if let range = text.firstRange(of: words) {
        return Found(kind: .evicted, reason: String(text[range.lowerBound...]), isCertain: true)
      }
    }
    let isQuery = text.contains("Failed to query remote execution capabilities: ")
    for (status, kind) in statuses {
      if let range = text.firstRange(of: status + ": ") {
        return Found(kind: kind, reason: String(text[range.lowerBound...]), isCertain: true)
      }
    }
    for words in connections {
      if let range = text.firstRange(of: words) {
        return Found(
          kind: .unreachable, reason: String(text[range.lowerBound...]), isCertain: isQuery)
      }
    }
    return nil
  }

  private static let evictions = [
    "Missing digest: ", "lost inputs with digests: ", "Lost inputs no longer available remotely",
    "Unexpected lost inputs", "lost input too many times",
    "Failed to fetch blobs because they do not exist remotely",
  ]

  /// Status codes of gRPC that tell of the service and not of what it was asked.
  private static let statuses: [(String, Kind)] = [
    ("UNAVAILABLE", .unreachable), ("DEADLINE_EXCEEDED", .unreachable),
    ("RESOURCE_EXHAUSTED", .unreachable), ("UNAUTHENTICATED", .refused),
    ("PERMISSION_DENIED", .refused),
  ]

  private static let connections = [
    "Connection refused", "Connection reset", "Connection timed out", "Unable to resolve host",
    "Exhausted retry attempts", "Exhaused retry attempts", "Read timed out", "io exception",
    "401 Unauthorized", "403 Forbidden", "502 Bad Gateway", "503 Service Unavailable",
  ]
}
