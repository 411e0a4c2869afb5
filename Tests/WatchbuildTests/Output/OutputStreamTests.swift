import Events
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

@testable import watchbuild

struct OutputStreamTests {
  @Test func `a reader that is gone is an error, not the end of the process`() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = try FileDescriptor.pipe(options: .closeOnExec)
    try pipe.readEnd.close()
    defer { try? pipe.writeEnd.close() }
    #expect(throws: OutputClosed(reason: .brokenPipe)) {
      try OutputStream(descriptor: pipe.writeEnd).write(lines: ["gone"])
    }
  }

  @Test func `a full pipe that does not block is waited for`() async throws {
    let pipe = try FileDescriptor.pipe(options: .closeOnExec)
    _ = fcntl(pipe.writeEnd.rawValue, F_SETFL, O_NONBLOCK)
    let text = Array(repeating: UInt8(ascii: "x"), count: 300_000)
    async let read = Self.readAll(pipe.readEnd)
    try OutputStream(descriptor: pipe.writeEnd).write(text)
    try pipe.writeEnd.close()
    #expect(try await read == text.count)
  }

  @concurrent
  private static func readAll(_ file: FileDescriptor) async throws -> Int {
    try file.closeAfter {
      var total = 0
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
      defer { buffer.deallocate() }
      while true {
        let count = try file.read(into: buffer)
        guard count > 0 else { return total }
        total += count
      }
    }
  }

  @Test func `JSON output is one line an event`() async throws {
    let pipe = try FileDescriptor.pipe(options: .closeOnExec)
    let output = EventOutput(json: OutputStream(descriptor: pipe.writeEnd))
    let time = Date(timeIntervalSince1970: 0)
    try output.write(Event(sequence: 1, time: time, cycle: nil, kind: .ready))
    try output.write(
      Event(sequence: 2, time: time, cycle: nil, kind: .stopping(reason: "two\nlines")))
    try pipe.writeEnd.close()

    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { buffer.deallocate() }
    let count = try pipe.readEnd.closeAfter { try pipe.readEnd.read(into: buffer) }
    let lines = String(decoding: buffer.prefix(count), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 && lines[2].isEmpty)
    #expect(lines[0].contains("\"type\":\"ready\"") && lines[0].contains("\"seq\":1"))
    #expect(lines[1].contains("\"reason\":\"two\\nlines\""))
  }
}
