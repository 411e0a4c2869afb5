import Basics
import Events
import Glibc
import Settings
import Synchronization
import SystemPackage

/// The file or descriptor of `--events`, written to by one reader of the events.
final class EventsFile: Sendable {
  /// As messages name it.
  let name: String
  /// `nil` before a named pipe has a reader.
  private let stream: Mutex<OutputStream?>
  private let pipe: FilePath?

  /// Opens it. To be called before anything else opens descriptors, which could take a number that was not open.
  ///
  /// - Parameter isOutputJSON: Standard output is taken by `--output json`.
  /// - Throws: `Problem` when it can't be written.
  init(_ target: EventsTarget, isOutputJSON: Bool) throws(Problem) {
    switch target {
    case .descriptor(let number):
      name = "fd:\(number)"
      pipe = nil
      try Self.check(number, isOutputJSON: isOutputJSON)
      stream = Mutex(OutputStream(descriptor: FileDescriptor(rawValue: number)))
    case .file(let path):
      name = path.string
      var status = stat()
      guard path.withPlatformString({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFIFO
      else {
        pipe = nil
        stream = Mutex(
          OutputStream(descriptor: try Self.open(path, options: [.create, .truncate])))
        return
      }
      // Opening it waits for its reader.
      pipe = path
      stream = Mutex(nil)
    }
  }

  /// Writes one event. May block; called on a thread of its own.
  ///
  /// - Throws: `OutputClosed`; `Problem`.
  func write(_ event: Event) throws {
    let opened = stream.withLock { $0 }
    if let opened { return try opened.write(json: event.json()) }
    guard let pipe else { return }
    let new = OutputStream(descriptor: try Self.open(pipe))
    stream.withLock { $0 = new }
    try new.write(json: event.json())
  }

  private static func open(
    _ path: FilePath, options: FileDescriptor.OpenOptions = []
  ) throws(Problem) -> FileDescriptor {
    do {
      return try FileDescriptor.open(
        path, .writeOnly, options: options.union(.closeOnExec),
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw Problem(
        "--events: can't write to \(path): \(error)",
        hint: "name a file that may be written, or fd:N")
    }
  }

  private static func check(_ number: Int32, isOutputJSON: Bool) throws(Problem) {
    guard !isOutputJSON || number != STDOUT_FILENO else {
      throw Problem(
        "--events fd:1: standard output is taken by --output json",
        hint: "leave one of the two out, or name another descriptor")
    }
    let flags = fcntl(number, F_GETFL)
    guard flags >= 0, flags & O_ACCMODE != O_RDONLY else {
      throw Problem(
        "--events fd:\(number): "
          + (flags < 0 ? "no such descriptor is open" : "it is open for reading only"),
        hint:
          "open it for writing, as in: watchbuild dev --events fd:\(number) \(number)>events.jsonl")
    }
    // Bazel is to hold it open no longer than we do. The standard ones are everybody's.
    if number > STDERR_FILENO { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }
}
