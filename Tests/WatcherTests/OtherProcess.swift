import Glibc
import SystemPackage
import Testing

/// Runs one test again in a process of its own, under limits that this process can't have.
enum OtherProcess {
  private static let variable = "WATCHBUILD_TEST_IN_OTHER_PROCESS"

  /// - Parameters:
  ///   - test: Part of the test's name, which must be no other's.
  ///   - command: Shell words put before the test program, such as `unshare -Ur`.
  ///   - body: The test itself, run in the other process.
  /// - Throws: What the body throws.
  static func run(
    _ test: String, under command: String, _ body: () async throws -> Void
  ) async throws {
    guard getenv(variable) == nil else { return try await body() }
    let program = try #require(realpath("/proc/self/exe", nil))
    defer { free(program) }
    // The swift-testing run of SwiftPM's test program.
    let line = """
      \(variable)=1 \(command) '\(String(cString: program))' --testing-library swift-testing \
      --filter '\(test)' >&2
      """
    let output = try TemporaryOutput()
    do {
      try WatchHarness.shell(line + " 2>'\(output.path)'", in: "/")
    } catch {
      Issue.record("\(error)\n\(output.text)")
    }
    #expect(
      output.text.contains("1 test"),
      "the other process ran another number of tests: \(output.text)")
  }
}

/// A file that a child writes its output to.
private struct TemporaryOutput: ~Copyable {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/watchbuild-output-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    close(descriptor)
    path = FilePath(String(decoding: template.dropLast().map { UInt8($0) }, as: UTF8.self))
  }

  deinit { _ = path.withPlatformString { unlink($0) } }

  var text: String {
    guard let file = path.withPlatformString({ fopen($0, "r") }) else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 100_000)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
