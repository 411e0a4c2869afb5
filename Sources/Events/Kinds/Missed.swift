extension Event {
  /// A reader was so slow that events are no longer kept.
  ///
  /// It is told to that reader alone, and `seq` is that of the last one missed, so that numbers still only grow.
  package struct Missed: EventFields {
    package static let type = "missed"

    /// The number of the first event missed.
    package var first: Int
    /// The number of the last.
    package var last: Int

    package init(_ numbers: ClosedRange<Int>) {
      first = numbers.lowerBound
      last = numbers.upperBound
    }

    package var count: Int { last - first + 1 }
  }
}
