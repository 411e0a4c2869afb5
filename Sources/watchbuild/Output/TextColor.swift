/// What a colour means here.
enum TextColor: String {
  case success = "32"
  case warning = "33"
  case failure = "31"

  func applied(to text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}
