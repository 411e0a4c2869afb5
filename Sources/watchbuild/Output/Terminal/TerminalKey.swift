/// A key that does something while `dev` runs.
enum TerminalKey: String, CaseIterable, Sendable {
  case rebuild = "r"
  case build = " "
  case pause = "p"
  case errors = "e"
  case log = "l"
  case images = "i"
  case timings = "t"
  case clear = "c"
  case help = "?"
  case quit = "q"
  /// Ctrl-Z, which comes as a byte while keys are read one by one.
  case suspend = "\u{1A}"

  init?(_ byte: UInt8) { self.init(rawValue: String(UnicodeScalar(byte))) }

  var meaning: String {
    switch self {
    case .rebuild: "rebuild all images"
    case .build: "build now what was saved, also with --trigger manual"
    case .pause: "pause: saves are noted, and built when you press p again"
    case .errors: "show the errors once more"
    case .log: "show the whole output of what failed"
    case .images: "list the images"
    case .timings: "show where the time of the latest cycles went"
    case .clear: "clear the screen"
    case .help: "show this list"
    case .quit: "quit"
    case .suspend: "stop until `fg`"
    }
  }

  private var name: String {
    switch self {
    case .build: "space"
    case .suspend: "^Z"
    default: rawValue
    }
  }

  /// The list of all keys.
  static var helpRows: [StyledText] {
    allCases.map { StyledText($0.name).padded(to: 8) + StyledText($0.meaning) }
  }
}
