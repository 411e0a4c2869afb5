/// The value of a setting as the configuration file has it.
enum PrintedValue: Encodable {
  case text(String)
  case number(Int)
  case boolean(Bool)
  case list([String])

  /// As a person reads it in a line.
  var text: String {
    switch self {
    case .text(let text): text
    case .number(let number): "\(number)"
    case .boolean(let isTrue): "\(isTrue)"
    case .list(let texts): texts.joined(separator: ", ")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .boolean(let isTrue): try container.encode(isTrue)
    case .list(let texts): try container.encode(texts)
    }
  }
}
