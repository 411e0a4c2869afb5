/// Durations as people write them: a number and a unit.
package enum DurationText {
  /// Long enough for anything here, short enough that no sum of a few overflows.
  private static let longest = Duration.seconds(7 * 24 * 3600)

  /// Reads `30ms`, `1.5s`, `1m` or `2h`.
  ///
  /// A number without a unit is refused, because other tools disagree on what it means:
  /// milliseconds for watchexec and Skaffold, seconds for most others.
  package static func parse(_ text: String) throws(InvalidValue) -> Duration {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    let unit = text[digits.endIndex...]
    guard let milliseconds = milliseconds(digits) else {
      throw InvalidValue("write a number and a unit, such as 30ms, 2s or 1m")
    }
    let factor: Int64
    switch unit {
    case "ms": factor = 1
    case "s": factor = 1000
    case "m": factor = 60_000
    case "h": factor = 3_600_000
    case "": throw InvalidValue("a duration needs a unit: write \(text)ms or \(text)s")
    default: throw InvalidValue("unknown unit '\(unit)': use ms, s, m or h, such as 30ms")
    }
    // In microseconds, so that 0.5ms is no zero.
    let (microseconds, hasOverflowed) = milliseconds.multipliedReportingOverflow(by: factor)
    guard !hasOverflowed, Duration.microseconds(microseconds) <= longest else {
      throw InvalidValue("a duration is at most 7 days")
    }
    return .microseconds(microseconds)
  }

  /// The shortest text that reads back as the same duration, for whole microseconds.
  package static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    for (unit, length) in [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)]
      as [(_, Int64)]
    where microseconds != 0 && microseconds % length == 0 {
      return "\(microseconds / length)\(unit)"
    }
    guard microseconds % 1000 != 0 else { return "\(microseconds / 1000)ms" }
    let fraction = String(1000 + microseconds % 1000).dropFirst()
    return "\(microseconds / 1000).\(fraction)ms"
  }

  /// Thousandths of the number written, at most three decimals; `nil` when it is no number.
  private static func milliseconds(_ digits: Substring) -> Int64? {
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard let whole = parts.first, !whole.isEmpty, whole.count <= 12, parts.count <= 2 else {
      return nil
    }
    let fraction = parts.count == 2 ? parts[1] : "0"
    guard (1...3).contains(fraction.count) else { return nil }
    let padded = fraction + String(repeating: "0", count: 3 - fraction.count)
    guard let units = Int64(whole), let thousandths = Int64(padded) else { return nil }
    return units * 1000 + thousandths
  }
}

/// Why a value was refused; whoever knows where it stood adds the place.
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}
