package import Processes
import SystemPackage

extension Command {
  /// The command is no build: it names no file for its events.
  private struct NoEventFile: Error {}

  /// Writes the events of a build command as Bazel does: into the file that is there already, which
  /// is cut first.
  package func writeEvents(_ events: [String]) throws {
    let option = "--build_event_json_file="
    guard let path = arguments.first(where: { $0.hasPrefix(option) })?.dropFirst(option.count)
    else { throw NoEventFile() }
    let file = try FileDescriptor.open(String(path), .writeOnly, options: .truncate)
    _ = try file.closeAfter { try file.writeAll(events.map { $0 + "\n" }.joined().utf8) }
  }
}
