import Glibc
import SystemPackage

/// What this process has used so far, and has now.
enum Usage {
  /// User and system time of all threads, milliseconds.
  static var cpu: Double {
    var use = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &use)
    return Double(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3
      + Double(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3
  }

  /// Bytes of physical memory.
  static var resident: Int {
    let fields = text(of: "/proc/self/statm").split(separator: " ")
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The ids of all threads.
  static var threads: Set<Int> {
    guard let directory = opendir("/proc/self/task") else { return [] }
    defer { closedir(directory) }
    var found: Set<Int> = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let id = Int(name) { found.insert(id) }
    }
    return found
  }

  /// Milliseconds on a processor.
  static func cpu(ofThread id: Int) -> Double {
    let first = text(of: "/proc/self/task/\(id)/schedstat").split(separator: " ").first
    return (first.flatMap { Double($0) } ?? 0) / 1e6
  }

  /// How often a thread has been taken off a processor, by itself or not.
  static func contextSwitches(ofThread id: Int) -> Int {
    text(of: "/proc/self/task/\(id)/status").split(separator: "\n")
      .filter { $0.contains("ctxt_switches") }
      .compactMap { $0.split(separator: "\t").last.flatMap { Int($0) } }.reduce(0, +)
  }

  private static func text(of path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}

/// Runs a program and waits for its end.
func run(_ words: [String]) throws {
  var child = pid_t()
  let arguments: [UnsafeMutablePointer<CChar>?] =
    words.map { (word: String) in strdup(word) } + [nil]
  defer { for argument in arguments { free(argument) } }
  let error = posix_spawn(&child, words[0], nil, nil, arguments, environ)
  guard error == 0 else { throw Errno(rawValue: error) }
  var status: Int32 = 0
  while waitpid(child, &status, 0) < 0, errno == EINTR {}
  guard status == 0 else { throw Errno.canceled }
}
