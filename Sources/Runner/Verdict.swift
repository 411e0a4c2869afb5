package import Events
package import SystemPackage

/// The answer to somebody who waited.
package struct Verdict: Sendable {
  package enum Kind: String, Sendable, Encodable, CaseIterable {
    case ok, failed, unaffected, timeout, stopping
  }

  package var verdict: Kind
  /// The cycle that made the images, where there was one.
  package var cycle: Int?
  /// The last result of each image that the question is about, for each runtime.
  package var images: [Event.ImageChanged]
  /// The mistakes that hold up those that failed.
  package var diagnostics: [Event.Diagnosed]

  package init(
    _ verdict: Kind, cycle: Int? = nil, images: [Event.ImageChanged] = [],
    diagnostics: [Event.Diagnosed] = []
  ) {
    self.verdict = verdict
    self.cycle = cycle
    self.images = images
    self.diagnostics = diagnostics
  }
}

/// The answer to a request.
package enum Answer: Sendable {
  /// The loop knows, and acts on it.
  case accepted
  case verdict(Verdict)
  /// Neither on disk nor known: a misspelt path.
  case unknownPaths([FilePath])
  /// Nobody has configured or found images of these names; beside them those that there are.
  case unknownImages([String], known: [String])
  /// Too many wait already.
  case refused
}

/// Who is told what the loop does: those who asked, and whoever wants to know how things are.
package struct Audience: Sendable {
  /// Gives an answer to the request of that number, once for each.
  package var answer: @Sendable (Int, Answer) -> Void
  /// Numbers of requests whose askers have gone since the last call.
  package var departed: @Sendable () -> Set<Int>
  /// Takes what the loop knows after each signal.
  package var show: @Sendable (LoopState.Snapshot) -> Void

  package init(
    answer: @escaping @Sendable (Int, Answer) -> Void = { _, _ in },
    departed: @escaping @Sendable () -> Set<Int> = { [] },
    show: @escaping @Sendable (LoopState.Snapshot) -> Void = { _ in }
  ) {
    self.answer = answer
    self.departed = departed
    self.show = show
  }
}
