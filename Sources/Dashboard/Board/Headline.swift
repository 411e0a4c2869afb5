/// The one line that is read from three metres.
package struct Headline: Equatable, Encodable, Sendable {
  /// The tone decides the colour and the sign: what the words say as well.
  package enum Tone: String, Encodable, Sendable {
    case well, busy, broken, degraded, off
  }

  package var text: String
  package var tone: Tone
  /// One sentence below it.
  package var detail: String

  init(_ text: String, _ tone: Tone, _ detail: String = "") {
    self.text = text
    self.tone = tone
    self.detail = detail
  }

  /// The facts that decide the line.
  struct Facts {
    var isStopping = false
    var isStarted = true
    var isPaused = false
    var isManual = false
    var waitingChanges = 0
    /// Images of the cycle under way that are not done; `nil`: none runs.
    var underway: Int?
    var phase: String?
    var failed: [String] = []
    /// Errors that are no image's.
    var otherErrors = 0
    var failingRuntimes: [String] = []
    var owed: [String] = []
    var total = 0
    var current = 0
  }

  init(_ facts: Facts) {
    let broken = Self.broken(facts)
    let current = "\(facts.current) of \(facts.total) current"
    let beside = broken.map { "\($0.detail). \(current)" } ?? current
    if facts.isStopping {
      self.init("STOPPED", .off, "this dev has ended")
    } else if facts.isPaused {
      let saves = facts.waitingChanges == 1 ? "1 save waits" : "\(facts.waitingChanges) saves wait"
      self.init("PAUSED", .degraded, facts.waitingChanges > 0 ? saves : beside)
    } else if !facts.isStarted {
      self.init("STARTING", .busy, "Bazel is asked which images there are")
    } else if let underway = facts.underway {
      self.init(Self.work(facts.phase, underway), .busy, beside)
    } else if let broken {
      self.init(broken.text, .broken, "\(broken.detail). \(current)")
    } else if !facts.failingRuntimes.isEmpty {
      let names = facts.failingRuntimes.joined(separator: ", ")
      self.init("DEGRADED: \(names)", .degraded, "loads are tried again by themselves. \(current)")
    } else if !facts.owed.isEmpty {
      self.init(
        "\(facts.owed.count) OWED", .degraded,
        facts.isManual ? "nothing is built before a trigger. \(current)" : current)
    } else {
      self.init(
        facts.total == 1 ? "CURRENT" : "ALL \(facts.total) CURRENT", .well,
        "every runtime holds what the files give")
    }
  }

  private static func work(_ phase: String?, _ count: Int) -> String {
    switch phase {
    case "lock": "WAITING FOR BAZEL"
    case "query": "READING THE GRAPH"
    case "load" where count > 0: "LOADING \(count)"
    case "rollout" where count > 0: "ROLLING OUT \(count)"
    default: count > 0 ? "BUILDING \(count)" : "BUILDING"
    }
  }

  /// Nothing where nothing is broken.
  private static func broken(_ facts: Facts) -> (text: String, detail: String)? {
    if !facts.failed.isEmpty {
      let shown = facts.failed.prefix(3).joined(separator: ", ")
      let more = facts.failed.count > 3 ? " +\(facts.failed.count - 3)" : ""
      return (
        "\(facts.failed.count) BROKEN: \(shown)\(more)",
        "what is broken is built again when it is saved"
      )
    }
    guard facts.otherErrors > 0 else { return nil }
    return (
      facts.otherErrors == 1 ? "1 ERROR" : "\(facts.otherErrors) ERRORS",
      "no image is held up by it"
    )
  }
}
