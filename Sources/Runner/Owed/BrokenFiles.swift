import Basics
import Bazel

/// BUILD files that Bazel could not read in a cycle, so that what follows of that is told as what it is.
///
/// Where a file has a syntax error, Bazel also says that its targets do not exist, once for each that is needed.
struct BrokenFiles: Sendable {
  private var errors: [String: Diagnostic] = [:]

  /// Takes in what Bazel says.
  ///
  /// - Returns: Whether it is worth telling: not what follows of another mistake alone.
  mutating func takeIn(_ diagnostic: Diagnostic) -> Bool {
    if cause(of: diagnostic.message) != nil { return false }
    let name = diagnostic.file.split(separator: "/").last.map(String.init) ?? ""
    let isOwn = !diagnostic.message.hasPrefix("no such ")
    if diagnostic.severity == .error, isOwn, BuildFileName.all.contains(name) {
      errors[diagnostic.file] = errors[diagnostic.file] ?? diagnostic
    }
    return true
  }

  /// The mistake behind a target that does not exist: in the file that should define it.
  func cause(of message: String) -> Diagnostic? {
    guard message.contains("no such target "), let start = message.firstRange(of: " defined by /")
    else { return nil }
    let path = message[start.upperBound...].prefix { !$0.isWhitespace }
    return errors.first { path == $0.key || path.hasSuffix("/" + $0.key) }?.value
  }
}
