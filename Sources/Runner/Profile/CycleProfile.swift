import Basics
package import Bazel
package import Events
package import FoundationEssentials

/// Where the time of one cycle went, from the first save of its batch to the end of its last load.
package struct CycleProfile: Sendable, Codable {
  /// A stretch of time on a track of its own in a trace.
  package struct Span: Hashable, Sendable, Codable {
    package var name: String
    /// `cycle`, or an image's name.
    package var track: String
    /// From the cycle's start.
    package var startMs: Int
    package var ms: Int
  }

  /// One `bazel build`, and the trace that Bazel left of it.
  package struct Build: Hashable, Sendable, Codable {
    /// In the directory that the profile itself lies in.
    package var trace: String?
    /// The trace's zero, from the cycle's start.
    package var startMs: Int
  }

  package var cycle: Int
  /// When the first change of the batch was seen.
  package var time: Date
  package var cause: String
  package var images: [String]
  package var status: Event.CycleEnded.Status
  package var ok: Int
  package var failed: Int
  package var timings: Event.CycleEnded.Timings
  package var phases: BazelPhases?
  package var bazelCommands: Int
  package var spans: [Span]
  package var builds: [Build]

  /// The way from save to live, step by step; the steps make up the total, but for what the loop
  /// itself took between them.
  package var steps: [(name: String, ms: Int)] {
    let bazel = phases.map { phases in
      [
        ("launch", phases.launchMs), ("init", phases.initMs), ("patterns", phases.patternsMs),
        ("analysis", phases.analysisMs), ("preparation", phases.preparationMs),
        ("execution", phases.executionMs), ("finish", phases.finishMs),
        // Starting the client, and what it does when the server is done.
        ("client", max(0, timings.bazelMs - phases.totalMs)),
      ]
    }
    return [("window", timings.windowMs), ("plan", timings.planMs), ("lock", timings.lockMs)]
      + (bazel ?? [("bazel", timings.bazelMs)])
      + [("load", timings.loadMs), ("rollout", timings.rolloutMs)]
  }
}

// MARK: - JSON

extension CycleProfile {
  private static let timeStyle = Date.ISO8601FormatStyle.event

  /// Times as in events.
  package static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(date.formatted(timeStyle))
    }
    return encoder
  }

  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      try timeStyle.parse(try decoder.singleValueContainer().decode(String.self))
    }
    return decoder
  }
}

// MARK: - Events

extension CycleProfile {
  /// Follows the events of a run: pure.
  package struct Builder: Sendable {
    /// Facts about a build that has ended, beside its event.
    package struct EndedBuild: Sendable {
      /// The number of the event that it began with.
      package var event: Int
      package var trace: String?
      package var elapsed: Duration
      package var lockWaited: Duration
      package var phases: BazelPhases?

      package init(
        event: Int, trace: String?, elapsed: Duration, lockWaited: Duration, phases: BazelPhases?
      ) {
        self.event = event
        self.trace = trace
        self.elapsed = elapsed
        self.lockWaited = lockWaited
        self.phases = phases
      }
    }

    private var begin: (time: Date, batch: Event.BatchClosed)?
    private var spans: [Span] = []
    /// When builds began, from the cycle's start, by the numbers of their events.
    private var buildStarts: [Int: Int] = [:]

    package init() {}

    /// - Parameter ended: The builds of the cycle that this event ends.
    /// - Returns: The profile of that cycle.
    package mutating func add(_ event: Event, ended: [EndedBuild] = []) -> CycleProfile? {
      switch event.kind {
      case .batch(let batch):
        let window = Double(batch.windowMs) / 1000
        begin = (event.time.addingTimeInterval(-window), batch)
        (spans, buildStarts) = ([], [:])
        if batch.windowMs > 0 {
          spans.append(Span(name: "window", track: "cycle", startMs: 0, ms: batch.windowMs))
        }
      case .index(let index): addSpan("index", "cycle", endingAt: event, ms: index.ms)
      case .build: buildStarts[event.sequence] = offset(of: event)
      case .image(let image):
        guard let ms = image.ms else { break }
        let place = image.runtime.map { " → \($0)" } ?? ""
        addSpan("\(image.status.rawValue)\(place)", image.image, endingAt: event, ms: ms)
      case .cycle(let outcome):
        guard let (time, batch) = begin else { break }
        begin = nil
        let builds = ended.map { add($0) }
        spans.sort { $0.startMs < $1.startMs }
        return CycleProfile(
          cycle: event.cycle ?? 0, time: time, cause: batch.cause, images: batch.images,
          status: outcome.status, ok: outcome.ok, failed: outcome.failed, timings: outcome.timings,
          phases: outcome.phases, bazelCommands: outcome.bazelCommands, spans: spans, builds: builds
        )
      default: break
      }
      return nil
    }

    private mutating func add(_ build: EndedBuild) -> Build {
      let start = buildStarts[build.event] ?? 0
      let waited = build.lockWaited.milliseconds
      if waited > 0 {
        spans.append(Span(name: "lock", track: "cycle", startMs: start, ms: waited))
      }
      spans.append(
        Span(
          name: "bazel build", track: "cycle", startMs: start + waited,
          ms: max(0, build.elapsed.milliseconds - waited)))
      return Build(
        trace: build.trace, startMs: start + waited + (build.phases?.launchMs ?? 0))
    }

    private mutating func addSpan(
      _ name: String, _ track: String, endingAt event: Event, ms: Int
    ) {
      let start = max(0, offset(of: event) - ms)
      spans.append(Span(name: name, track: track, startMs: start, ms: ms))
    }

    private func offset(of event: Event) -> Int {
      begin.map { Int((event.time.timeIntervalSince($0.time) * 1000).rounded()) } ?? 0
    }
  }
}
