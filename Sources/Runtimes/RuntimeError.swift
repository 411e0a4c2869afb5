import Images

/// Why a runtime does not hold an image that it was to be given.
package struct RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// It does not answer, or may not be asked.
    case unreachable
    /// It answered, and said no.
    case refused
    /// It said yes, and holds something else.
    case mismatch
    /// A directory of ours can't be read or written.
    case storage
  }

  /// As `--load` names it.
  package var runtime: String
  package var kind: Kind
  package var message: String
  /// The user's remedy.
  package var hint: String?

  package init(runtime: String, kind: Kind, message: String, hint: String? = nil) {
    self.runtime = runtime
    self.kind = kind
    self.message = message
    self.hint = hint
  }

  package var description: String { hint.map { "\(message); \($0)" } ?? message }
}

extension RuntimeError {
  /// With the name of the image that it is about.
  func about(_ reference: ImageReference) -> RuntimeError {
    var error = self
    error.message = "\(reference): \(message)"
    return error
  }
}
