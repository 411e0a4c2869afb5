import Basics
import FoundationEssentials

extension Event: Encodable {
  private enum CodingKeys: String, CodingKey { case seq, time, type, cycle }

  /// The name in the `type` field.
  package var type: String { Swift.type(of: kind.fields).type }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sequence, forKey: .seq)
    try container.encode(
      time.formatted(.event), forKey: .time)
    try container.encode(type, forKey: .type)
    try container.encodeIfPresent(cycle, forKey: .cycle)
    try kind.fields.encode(to: encoder)
  }

  /// The event as one line of JSON Lines, without the newline.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try UnsafeText.escaped(json: Array(encoder.encode(self)))
  }
}
