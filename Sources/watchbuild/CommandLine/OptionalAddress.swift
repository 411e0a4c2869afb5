/// `--ui` may stand alone: the word behind it is its address only where it looks like one.
///
/// The argument parser would take an image's name for the address, or want one always.
enum OptionalAddress {
  private static let option = "--ui"

  /// The command line as the parser wants it: `dev --ui cart` becomes `dev --ui=127.0.0.1 cart`.
  static func completed(_ arguments: [String]) -> [String] {
    let terminator = arguments.firstIndex(of: "--") ?? arguments.endIndex
    guard let place = arguments[..<terminator].firstIndex(of: option) else { return arguments }
    let next = arguments[..<terminator].index(after: place)
    let rest = arguments[next...]
    if next < terminator, isAddress(arguments[next]) {
      return arguments[..<place] + ["\(option)=\(arguments[next])"] + rest.dropFirst()
    }
    return arguments[..<place] + ["\(option)=127.0.0.1"] + rest
  }

  /// A number, or a host with dots or colons; names of images and labels are neither.
  static func isAddress(_ word: String) -> Bool {
    guard !word.contains("/"), !word.hasPrefix(":") || word == "::1" else { return false }
    if word.allSatisfy(\.isNumber) || word == "localhost" || word.hasPrefix("[") || word == "::1" {
      return true
    }
    let isDotted =
      word.split(separator: ".", omittingEmptySubsequences: false).count == 4
      && word.allSatisfy { $0.isNumber || $0 == "." }
    let port = word.lastIndex(of: ":").map { word[word.index(after: $0)...] }
    return isDotted || port.map { $0.allSatisfy(\.isNumber) } ?? false
  }
}
