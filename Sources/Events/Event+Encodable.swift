import Basics
import FoundationEssentials

extension Event: Encodable {
  private enum CodingKeys: String, CodingKey { case seq, time, type, cycle, reason }

  /// The name in the `type` field.
  package var type: String {
    switch kind {
    case .started: "started"
    case .watching: "watching"
    case .ready: "ready"
    case .unaffected: "unaffected"
    case .batch: "batch"
    case .index: "index"
    case .build: "build"
    case .lock: "lock"
    case .cacheDiscarded: "cacheDiscarded"
    case .diagnostic: "diagnostic"
    case .image: "image"
    case .progress: "progress"
    case .cycle: "cycle"
    case .degraded: "degraded"
    case .overflow: "overflow"
    case .stopping: "stopping"
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sequence, forKey: .seq)
    try container.encode(
      time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)), forKey: .time)
    try container.encode(type, forKey: .type)
    try container.encodeIfPresent(cycle, forKey: .cycle)
    switch kind {
    case .started(let fields): try fields.encode(to: encoder)
    case .watching(let fields): try fields.encode(to: encoder)
    case .ready: break
    case .unaffected(let fields): try fields.encode(to: encoder)
    case .batch(let fields): try fields.encode(to: encoder)
    case .index(let fields): try fields.encode(to: encoder)
    case .build(let fields): try fields.encode(to: encoder)
    case .lock(let fields): try fields.encode(to: encoder)
    case .cacheDiscarded(let fields): try fields.encode(to: encoder)
    case .diagnostic(let fields): try fields.encode(to: encoder)
    case .image(let fields): try fields.encode(to: encoder)
    case .progress(let fields): try fields.encode(to: encoder)
    case .cycle(let fields): try fields.encode(to: encoder)
    case .degraded(let reason), .overflow(let reason), .stopping(let reason):
      try container.encode(reason, forKey: .reason)
    }
  }

  /// The event as one line of JSON Lines, without the newline.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try UnsafeText.escaped(json: Array(encoder.encode(self)))
  }
}
