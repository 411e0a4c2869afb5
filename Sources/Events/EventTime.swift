package import FoundationEssentials

extension FormatStyle where Self == Date.ISO8601FormatStyle {
  /// A time as events have it: RFC 3339 with milliseconds, in UTC.
  package static var event: Date.ISO8601FormatStyle {
    Date.ISO8601FormatStyle(includingFractionalSeconds: true)
  }
}
