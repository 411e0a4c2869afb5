import Glibc
import Synchronization
import SystemPackage

/// A program that a test runs to look at the result from outside.
package enum Tool {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private static let counter = Atomic<Int>(0)

  /// Whether the program is in `PATH` or where system programs are.
  package static func exists(_ name: String) -> Bool {
    path.contains { access("\($0)/\(name)", X_OK) == 0 }
  }

  /// Whether a missing program is a reason to fail rather than to skip.
  package static var isRequired: Bool { getenv("CI").map { String(cString: $0) } == "true" }

  /// Runs a program to its end; its output goes through a file.
  ///
  /// It blocks a thread of those that run the tests, so one that hangs is ended after five minutes: no
  /// time limit of a test's own could come to pass.
  ///
  /// - Returns: What it wrote.
  /// - Throws: `Failure` with its output when it can't be started or ends with anything but 0; with 124
  ///   when it had to be ended.
  @discardableResult
  package static func run(_ name: String, _ arguments: [String]) throws -> String {
    let number = counter.add(1, ordering: .relaxed).newValue
    let output = FilePath("/tmp/wb-out-\(getpid())-\(number)")
    defer { unlink(output.string) }
    // The shell only redirects; the arguments stay a list.
    let script = #"out=$1; shift; exec timeout -k 5 300 "$@" >"$out" 2>&1"#
    let child = try spawn("/bin/sh", ["-c", script, "sh", output.string, name] + arguments)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw Errno(rawValue: errno) }
    }
    let text = String(decoding: try output.read(), as: UTF8.self)
    guard status == 0 else {
      let call = ([name] + arguments).joined(separator: " ")
      throw Failure(description: "\(call): exit \((status >> 8) & 0xFF): \(text)")
    }
    return text
  }

  static func spawn(
    _ executable: String, _ arguments: [String], input: Int32? = nil
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    // NIO's sockets survive an exec: in a child they would stay open when we have closed them.
    for descriptor in Int32(3)..<512 {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    // Our threads block signals, and a shell that can't see its children end waits for ever. A
    // session of its own keeps a child alive through a Ctrl-C that is meant for us.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // POSIX_SPAWN_SETSID, which glibc declares for GNU sources only.
    let newSession = 0x80
    let flags = Int(POSIX_SPAWN_SETSIGMASK) | Int(POSIX_SPAWN_SETSIGDEF) | newSession
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
    let environment: [UnsafeMutablePointer<CChar>?] =
      currentEnvironment().map { strdup($0) } + [nil]
    defer { (argv + environment).forEach { free($0) } }
    var child: pid_t = 0
    let error = posix_spawn(&child, executable, &actions, &attributes, argv, environment)
    guard error == 0 else { throw Errno(rawValue: error) }
    return child
  }

  /// Where programs are looked up.
  static let path =
    (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin").split(separator: ":")
    .map(String.init) + ["/usr/sbin", "/sbin"]

  /// Our own, with the directories of system programs in `PATH`.
  private static func currentEnvironment() -> [String] {
    let kept = ["HOME", "USER", "TMPDIR", "LANG", "XDG_RUNTIME_DIR"].compactMap { (name: String) in
      getenv(name).map { "\(name)=\(String(cString: $0))" }
    }
    return kept + ["PATH=\(path.joined(separator: ":"))"]
  }
}
