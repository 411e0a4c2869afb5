package import Basics
package import SystemPackage

/// One look at a path that changed, right after its change was told.
package struct Sighting: Hashable, Sendable {
  package var path: FilePath
  /// `nil`: not looked at, because it is too large or one of too many.
  package var content: FileContent?
  /// There may have been other content since the look before, which nobody saw.
  package var isRepeated: Bool
  /// A Bazel command of ours ran: Bazel may have read what was there, and may have written it.
  package var isDuringCommand: Bool
  /// A Bazel command of ours began later, with this in the same batch: Bazel may have read it.
  package var precedesCommand: Bool

  package init(
    path: FilePath, content: FileContent?, isRepeated: Bool = false, isDuringCommand: Bool,
    precedesCommand: Bool = false
  ) {
    self.path = path
    self.content = content
    self.isRepeated = isRepeated
    self.isDuringCommand = isDuringCommand
    self.precedesCommand = precedesCommand
  }
}
