/// One line of Bazel's own output and what it means to us: pure.
package enum BazelLine: Hashable {
  /// Another command holds the lock. Later lines may name it.
  case lock(pid: Int?)
  case cacheDiscarded(option: String)
  /// Bazel runs the same command again in the same client.
  case retry
  /// A cache fails, and the build does without it.
  case cacheTrouble(reason: String)
  /// - `target`: as Bazel writes it.
  case incompatible(target: String, sentence: String)
  /// What follows `ERROR:`, or the client's word on a dead server.
  case error(String)
  case progress
  /// Of no use to anyone: the sandbox's own log, which Debian's `/etc/bazel/bazelrc` turns on, and that a watch of
  /// ours has ended.
  case noise
  case message

  init(_ line: String) {
    if let (target, sentence) = Self.incompatibility(line) {
      self = .incompatible(target: target, sentence: sentence)
    } else if let error = line.dropping(prefix: "ERROR: ") ?? line.dropping(prefix: "FATAL: ") {
      self = .error(String(error))
    } else if line.hasPrefix("[FATAL "), let end = line.firstRange(of: "] ") {
      // "[FATAL 23:56:06.744 src/main/cpp/blaze.cc:1298] Unknown startup option: …"
      self = .error(String(line[end.upperBound...]))
    } else if line.hasPrefix("Server terminated abruptly") {
      self = .error(line)
    } else if line.hasPrefix("Another command ") {
      self = .lock(pid: Self.pid(line))
    } else if line.hasPrefix("Found transient remote cache error, retrying the build") {
      self = .retry
    } else if line.hasPrefix("WARNING: "), let words = line.firstRange(of: "Remote Cache: ") {
      // Also "Reading from Remote Cache:" and "Writing to Remote Cache:".
      self = .cacheTrouble(reason: String(line[words.upperBound...]))
    } else if let option = Self.discardingOption(line) {
      self = .cacheDiscarded(option: option)
    } else if Self.isProgress(line) {
      self = .progress
    } else if Self.isNoise(line) {
      self = .noise
    } else {
      self = .message
    }
  }

  /// The client found no server of the workspace.
  package static func isServerStart(_ line: String) -> Bool {
    line.hasPrefix("Starting local Bazel server")
  }

  /// The server can't watch the workspace for changes, and looks at all files instead.
  package static func isWatchFailure(_ line: String) -> Bool {
    line.contains("temporarily falling back to manually checking files for changes")
      && !isWatchEnd(line)
  }

  /// The command before had the server watch, and this one does not: as it was to be.
  private static func isWatchEnd(_ line: String) -> Bool {
    line.hasPrefix("WARNING: Switched off --watchfs again")
  }

  /// `pid=17` anywhere in a line.
  static func pid(_ line: String) -> Int? {
    guard let start = line.firstRange(of: "pid=") else { return nil }
    return Int(line[start.upperBound...].prefix { $0.isASCII && $0.isNumber })
  }

  /// `INFO: Build option --x has changed, discarding analysis cache.` or its plural.
  private static func discardingOption(_ line: String) -> String? {
    // "because the startup options are different.", since 8.3 "because the following startup
    // options are different:" with two lines that name them.
    if line.contains("Running B"), line.contains(" server needs to be killed, because the"),
      line.contains("startup options are different")
    {
      return "startup options"
    }
    guard line.contains("discarding analysis cache"),
      let options = line.firstRange(of: "Build option"),
      let verb = line.firstRange(of: " changed")
    else { return nil }
    return line[options.upperBound..<verb.lowerBound].split(separator: " ")
      .filter { $0.hasPrefix("-") }
      .map { $0.last == "," ? $0.dropLast() : $0 }
      .joined(separator: ", ")
  }

  /// `Target //a:b is incompatible and cannot be built, but was explicitly requested.`
  private static func incompatibility(_ line: String) -> (String, String)? {
    guard let verb = line.firstRange(of: " is incompatible and cannot be built"),
      let noun = line[..<verb.lowerBound].lastRange(of: "Target ")
    else { return nil }
    return (String(line[noun.upperBound..<verb.lowerBound]), String(line[noun.lowerBound...]))
  }

  private static func isProgress(_ line: String) -> Bool {
    let starts = [
      "[", "Loading:", "Analyzing:", "Computing main repo mapping", "Starting local Bazel server",
      "    currently loading:", "    Fetching", "INFO: Analyzed ", "INFO: Found ",
      "INFO: Elapsed time:", "INFO: Build completed", "INFO: Build Event Protocol files",
    ]
    return starts.contains(where: line.hasPrefix)
  }

  private static func isNoise(_ line: String) -> Bool {
    if isWatchEnd(line) { return true }
    // "1795228702.563921075: src/main/tools/linux-sandbox.cc:152: calling pipe(2)..."
    guard let colon = line.firstRange(of: ": ") else { return false }
    return line[colon.upperBound...].hasPrefix("src/main/tools/linux-sandbox")
      && line[..<colon.lowerBound].allSatisfy { $0.isNumber || $0 == "." }
  }
}

extension Substring {
  fileprivate func lastRange(of text: String) -> Range<Index>? {
    ranges(of: text).last
  }
}

extension String {
  fileprivate func dropping(prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
