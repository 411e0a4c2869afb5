import FoundationEssentials
import Glibc
package import SystemPackage

/// Reads Bazel's own profile of one command: a file in Chrome's trace format, one event a line.
///
/// Written by Bazel's server to a path of ours, which every build command is given.
/// Source: https://bazel.build/advanced/performance/json-trace-profile
package struct BazelProfile: Hashable, Sendable {
  /// Where it lies. The next build in the same scratch directory replaces it.
  package var file: FilePath
  package var phases: BazelPhases

  package init(file: FilePath, phases: BazelPhases) {
    self.file = file
    self.phases = phases
  }

  /// - Returns: `nil` when there is no such file or it tells of no phase, as after a crash.
  static func read(_ file: FilePath) -> Self? {
    var reader = PhaseReader()
    guard EventLines.forEach(in: file, { reader.add($0) }), let phases = reader.phases else {
      return nil
    }
    return BazelProfile(file: file, phases: phases)
  }

  /// Removes the file.
  package func remove() { file.withPlatformString { _ = unlink($0) } }
}

/// The lines of a trace file.
package enum EventLines {
  /// Reads a file of any length.
  ///
  /// - Returns: `false` when it can't be opened.
  package static func forEach(in path: FilePath, _ body: ([UInt8]) -> Void) -> Bool {
    // A profile that can't be read is one that is not there: it only adds to what is known.
    guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else {
      return false
    }
    defer {
      // Closing after reading loses nothing.
      try? file.close()
    }
    // The rest of the last chunk, and the next behind it. Lines are short, but for a damaged file.
    var pending: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { buffer.deallocate() }
    // As above: what could be read is good enough.
    while let count = try? file.read(into: buffer), count > 0, pending.count < 16 << 20 {
      pending += buffer.prefix(count)
      var start = 0
      pending.withUnsafeBytes { bytes in
        while let base = bytes.baseAddress,
          let end = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        {
          let next = UnsafeRawPointer(end) - base
          body(Array(bytes[start..<next]))
          start = next + 1
        }
      }
      pending.removeFirst(start)
    }
    if !pending.isEmpty { body(pending) }
    return true
  }
}

/// Adds up phases from a profile's lines: pure.
struct PhaseReader {
  private struct Event: Decodable {
    var cat: String?
    var name: String?
    var ts: Double?
    var dur: Double?
  }

  /// Begins of phases in microseconds, in the order of the file.
  private var marks: [(name: String, start: Double)] = []
  private var launch: Double?
  private var end: Double = 0
  private var criticalPath: Double = 0
  private var remote: [RemotePart: BusyTime] = [:]

  private enum RemotePart { case check, execution, download, upload }

  /// Most lines are about single actions; these are passed over by their first bytes.
  private static let wanted = [
    #"{"cat":"build phase marker""#, #"{"cat":"critical path component""#,
    #"{"cat":"general information","name":"Finishing""#,
  ].map { Array($0.utf8) }

  /// What is done elsewhere for single actions, of which there may be very many: two numbers are read
  /// of each.
  private static let remoteParts: [(start: [UInt8], part: RemotePart)] = [
    (#"{"cat":"remote action cache check""#, .check),
    (#"{"cat":"remote action execution""#, .execution),
    (#"{"cat":"remote output download""#, .download),
    (#"{"cat":"Remote execution upload time""#, .upload),
    (#"{"cat":"remote execution upload time""#, .upload),
  ].map { (Array($0.utf8), $1) }

  private mutating func addRemote(_ text: ArraySlice<UInt8>) -> Bool {
    guard let part = Self.remoteParts.first(where: { text.starts(with: $0.start) })?.part else {
      return false
    }
    if let start = Self.number(after: #""ts":"#, in: text),
      let duration = Self.number(after: #""dur":"#, in: text)
    {
      remote[part, default: BusyTime()].add(from: start, lasting: duration)
    }
    return true
  }

  private static func number(after name: String, in text: ArraySlice<UInt8>) -> Double? {
    guard let range = text.firstRange(of: Array(name.utf8)) else { return nil }
    let digits = text[range.upperBound...].prefix {
      (48...57).contains($0) || $0 == UInt8(ascii: ".")
    }
    return Double(String(decoding: digits, as: UTF8.self))
  }

  mutating func add(_ line: [UInt8]) {
    let text = line.drop { $0 == UInt8(ascii: " ") }
    if addRemote(text) { return }
    guard Self.wanted.contains(where: { text.starts(with: $0) }),
      let close = text.lastIndex(of: UInt8(ascii: "}")),
      // A damaged line tells nothing.
      let event = try? JSONDecoder().decode(Event.self, from: Data(text[...close])),
      let start = event.ts
    else { return }
    switch event.cat {
    case "critical path component": criticalPath += event.dur ?? 0
    case "build phase marker" where event.name == "Launch Blaze" || event.name == "Launch Bazel":
      launch = event.dur ?? 0
    case "build phase marker": marks.append((event.name ?? "", start))
    default: end = max(end, start)
    }
  }

  /// `nil`: no phase was marked.
  var phases: BazelPhases? {
    guard !marks.isEmpty else { return nil }
    var phases = BazelPhases()
    phases.launchMs = Self.milliseconds(launch ?? 0)
    phases.criticalPathMs = Self.milliseconds(criticalPath)
    if !remote.isEmpty {
      var work = RemoteWork()
      for (part, time) in remote {
        let ms = Self.milliseconds(time.total)
        switch part {
        case .check: work.checkMs = ms
        case .execution: work.executionMs = ms
        case .download: work.downloadMs = ms
        case .upload: work.uploadMs = ms
        }
      }
      phases.remote = work
    }
    let sorted = marks.sorted { $0.start < $1.start }
    for (mark, next) in zip(sorted, sorted.dropFirst().map(\.start) + [end]) {
      let ms = Self.milliseconds(max(0, next - mark.start))
      switch mark.name {
      case "Initialize command": phases.initMs += ms
      case "Evaluate target patterns": phases.patternsMs += ms
      case "Load and analyze dependencies", "Analyze licenses": phases.analysisMs += ms
      case "Prepare for build": phases.preparationMs += ms
      case "Build artifacts", "Load, analyze dependencies and build artifacts":
        phases.executionMs += ms
      default: phases.finishMs += ms
      }
    }
    return phases
  }

  private static func milliseconds(_ microseconds: Double) -> Int {
    Int((microseconds / 1000).rounded())
  }
}
