/// A file's content at one look, as far as it takes to tell whether it was the same at another.
package enum FileContent: Hashable, Sendable {
  case absent
  /// A hash of the bytes and the execute bit, or of where a symbolic link leads.
  case hash(UInt64)
}
