import Glibc
import Images
import SystemPackage

/// A name that nobody else gives, for what a load brings in before it has its own name; and whether
/// whoever gave it still needs it.
///
/// `PLACE-PROCESS-TIME-RUN-NUMBER`. The same runtime may serve processes of containers and of other
/// machines, where numbers of processes mean other processes: only at the same place does it count
/// whether one is there. Of the rest the age tells.
struct TemporaryName: Hashable, Sendable {
  /// Where numbers of processes mean the same: this kernel, since it was started, and in it our own
  /// namespace of processes.
  let place: String
  let process: pid_t
  /// Seconds since 1970.
  let time: Int64
  /// Random, of one run.
  let run: String
  let number: Int

  /// No load takes so long. In seconds.
  private static let longest: Int64 = 24 * 3600

  private init(_ place: String, _ process: pid_t, _ time: Int64, _ run: String, _ number: Int) {
    (self.place, self.process, self.time, self.run, self.number) =
      (place, process, time, run, number)
  }

  /// One of this run's.
  init(number: Int) {
    self.init(Self.place, getpid(), Int64(Glibc.time(nil)), Self.run, number)
  }

  /// - Returns: `nil` for a name of another kind.
  init?(_ text: some StringProtocol) {
    let parts = String(text).split(separator: "-", omittingEmptySubsequences: false).map(
      String.init)
    guard parts.count == 5, parts[0].count == 16, parts[3].count == 32,
      let process = pid_t(parts[1]), process > 0, let time = Int64(parts[2]),
      let number = Int(parts[4])
    else { return nil }
    self.init(parts[0], process, time, parts[3], number)
  }

  var text: String { "\(place)-\(process)-\(time)-\(run)-\(number)" }

  var isOurs: Bool { run == Self.run }

  /// Tells whether the load that it was given for is over, however that ended; of our own we know better.
  func isAbandoned(
    at now: Int64 = Int64(Glibc.time(nil)), place: String = Self.place,
    isRunning: (pid_t) -> Bool = { kill($0, 0) == 0 || errno != ESRCH }
  ) -> Bool {
    if now - time > Self.longest { return true }
    return self.place == place && !isRunning(process)
  }

  static let run = SecureNumber.hexadecimal(bytes: 16)

  static let place: String = {
    var id: [UInt8] = []
    do throws(Errno) {
      guard case .file(let file) = try ArchiveFile.open("/proc/sys/kernel/random/boot_id") else {
        throw .noSuchFileOrDirectory
      }
      id = try file.bytes(at: 0, count: 64)
    } catch {
      // Without it nobody's processes are ours.
      return SecureNumber.hexadecimal(bytes: 8)
    }
    var status = stat()
    guard stat("/proc/self/ns/pid", &status) == 0 else {
      return SecureNumber.hexadecimal(bytes: 8)
    }
    id += Array("\(status.st_dev) \(status.st_ino)".utf8)
    return String(Digest(of: id).hexadecimal.prefix(16))
  }()
}

/// Numbers that nobody guesses.
enum SecureNumber {
  static func hexadecimal(bytes count: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in
      let byte = UInt8.random(in: 0 ... .max, using: &generator)
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
