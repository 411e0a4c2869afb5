/// As with `git`, the options of every command may also stand before the command's name.
enum LeadingOptions {
  private static let flags: Set = ["-q", "--quiet", "-v", "--verbose"]
  private static let valued: Set = [
    "-C", "--directory", "-f", "--file", "-p", "--profile-name", "--color",
  ]

  /// The command line as the parser wants it: `-C web build cart -- -c opt` becomes
  /// `build cart -C web -- -c opt`. What does not begin so, or is not complete, stays as it is.
  static func moved(_ arguments: [String]) -> [String] {
    var rest = arguments[...]
    while let first = rest.first, first.hasPrefix("-") {
      if flags.contains(first) || valued.contains(where: { first.hasPrefix("\($0)=") }) {
        rest = rest.dropFirst()
      } else if valued.contains(first), rest.count > 1 {
        rest = rest.dropFirst(2)
      } else {
        return arguments
      }
    }
    guard !rest.isEmpty else { return arguments }
    let options = arguments[..<rest.startIndex]
    let terminator = rest.firstIndex(of: "--") ?? rest.endIndex
    return Array(rest[..<terminator] + options + rest[terminator...])
  }
}
