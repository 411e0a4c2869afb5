/// The diagnostics told since the last cycle ended: queries and the build each find the same mistake.
struct ToldDiagnostics: Sendable {
  private struct Key: Hashable {
    var file: String
    var line: Int
    var column: Int?
    var message: String
  }

  /// With the images that they were told of.
  private var told: [Key: Set<String>] = [:]

  /// Tells whether an event is worth recording: all but a diagnostic that was told of the same image.
  mutating func isNews(_ kind: Event.Kind) -> Bool {
    switch kind {
    case .cycle:
      told = [:]
      return true
    case .diagnostic(let diagnostic):
      let key = Key(
        file: diagnostic.file, line: diagnostic.line, column: diagnostic.column,
        message: diagnostic.message)
      guard let images = told[key] else {
        told[key] = Set([diagnostic.image].compactMap(\.self))
        return true
      }
      guard let image = diagnostic.image else { return false }
      return told[key, default: images].insert(image).inserted
    default: return true
    }
  }
}
