import Bazel
import Events
import FoundationEssentials
package import SystemPackage

/// Cycles and what Bazel did in them as one trace, for ui.perfetto.dev or chrome://tracing.
///
/// Source: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace
/// Event Format)
package struct ChromeTrace {
  private struct Event: Encodable {
    var name: String
    var cat: String?
    var ph: String
    var ts: Int?
    var dur: Int?
    var pid: Int
    var tid: Int
    var args: [String: String]?
  }

  private let run: ProfileStore.Run
  private let cycles: [CycleProfile]

  /// - Parameters:
  ///   - cycles: Some of the run's, in their order.
  ///   - run: Where Bazel's traces lie.
  package init(of cycles: [CycleProfile], in run: ProfileStore.Run) {
    self.cycles = cycles
    self.run = run
  }

  /// Writes it all; Bazel's events are copied line by line.
  ///
  /// - Throws: `Errno` when the file can't be written.
  package func write(to file: FileDescriptor) throws {
    var output = TraceOutput(file: file)
    output.start()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for event in ownEvents { try output.add(encoder.encode(event)) }
    var process = Self.ownProcess
    for cycle in cycles {
      for (number, build) in cycle.builds.enumerated() {
        guard let trace = build.trace else { continue }
        process += 1
        let name = cycle.builds.count > 1 ? " build \(number + 1)" : ""
        try output.add(
          encoder.encode(
            Event(
              name: "process_name", ph: "M", pid: process, tid: 0,
              args: ["name": "Bazel, cycle \(cycle.cycle)\(name)"])))
        try copy(
          run.directory.appending(trace), shiftedBy: start(of: cycle) + build.startMs * 1000,
          process: process, to: &output)
      }
    }
    try output.end()
  }

  // MARK: Our own events

  private static let ownProcess = 1

  /// Microseconds from the first cycle's start.
  private func start(of cycle: CycleProfile) -> Int {
    guard let first = cycles.first else { return 0 }
    return Int((cycle.time.timeIntervalSince(first.time) * 1_000_000).rounded())
  }

  private var ownEvents: [Event] {
    var tracks = ["cycle": 1]
    var events: [Event] = []
    for cycle in cycles {
      let start = start(of: cycle)
      events.append(
        Event(
          name: "cycle \(cycle.cycle)", cat: "watchbuild", ph: "X", ts: start,
          dur: cycle.timings.totalMs * 1000, pid: Self.ownProcess, tid: 0,
          args: [
            "status": cycle.status.rawValue, "cause": cycle.cause,
            "images": cycle.images.joined(separator: ", "),
          ]))
      for span in cycle.spans {
        let track = tracks[span.track] ?? tracks.count + 1
        tracks[span.track] = track
        events.append(
          Event(
            name: span.name, cat: "watchbuild", ph: "X", ts: start + span.startMs * 1000,
            dur: span.ms * 1000, pid: Self.ownProcess, tid: track))
      }
    }
    let names = [("cycles", 0)] + tracks.map { ($0.key == "cycle" ? "steps" : $0.key, $0.value) }
    return [
      Event(
        name: "process_name", ph: "M", pid: Self.ownProcess, tid: 0, args: ["name": "watchbuild"])
    ]
      + names.sorted { $0.1 < $1.1 }.map { name, track in
        Event(
          name: "thread_name", ph: "M", pid: Self.ownProcess, tid: track, args: ["name": name])
      } + events
  }

  // MARK: Bazel's events

  private func copy(
    _ path: FilePath, shiftedBy microseconds: Int, process: Int, to output: inout TraceOutput
  ) throws {
    var failure: (any Error)?
    // A trace that is no longer there is left out.
    _ = EventLines.forEach(in: path) { line in
      guard failure == nil,
        let event = Self.moved(line, by: microseconds, process: process)
      else { return }
      do { try output.add(event) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// One event of Bazel's at its time in our trace; `nil` when the line holds none.
  ///
  /// Only two numbers change, and traces run to megabytes, so it is not decoded. The names of the
  /// fields can't be met inside a text, where a quote has a backslash before it.
  static func moved(_ line: [UInt8], by microseconds: Int, process: Int) -> [UInt8]? {
    guard let open = line.firstIndex(of: UInt8(ascii: "{")),
      let close = line.lastIndex(of: UInt8(ascii: "}")), open < close,
      line[..<open].allSatisfy({ $0 == UInt8(ascii: " ") })
    else { return nil }
    var event = Array(line[open...close])
    guard let (range, _) = number(after: #""pid":"#, in: event) else { return nil }
    event.replaceSubrange(range, with: Array("\(process)".utf8))
    if let (range, value) = number(after: #""ts":"#, in: event) {
      event.replaceSubrange(range, with: Array("\(value + microseconds)".utf8))
    }
    return event
  }

  private static func number(after name: String, in line: [UInt8]) -> (Range<Int>, Int)? {
    let name = Array(name.utf8)
    guard let first = name.first else { return nil }
    var index = line.startIndex
    while let found = line[index...].firstIndex(of: first) {
      if line[found...].starts(with: name) {
        let start = found + name.count
        let end = line[start...].firstIndex { $0 != UInt8(ascii: "-") && !(48...57).contains($0) }
        let range = start..<(end ?? line.endIndex)
        return Int(String(decoding: line[range], as: UTF8.self)).map { (range, $0) }
      }
      index = found + 1
    }
    return nil
  }
}

/// The array of events, written in pieces.
private struct TraceOutput {
  let file: FileDescriptor
  private var buffer: [UInt8] = []
  private var isFirst = true

  init(file: FileDescriptor) { self.file = file }

  mutating func start() {
    buffer += Array(#"{"displayTimeUnit":"ms","traceEvents":["#.utf8)
  }

  mutating func add(_ event: some Collection<UInt8>) throws {
    buffer += Array((isFirst ? "\n" : ",\n").utf8)
    isFirst = false
    buffer += event
    if buffer.count > 1 << 20 { try flush() }
  }

  mutating func end() throws {
    buffer += Array("\n]}\n".utf8)
    try flush()
  }

  private mutating func flush() throws {
    _ = try file.writeAll(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
