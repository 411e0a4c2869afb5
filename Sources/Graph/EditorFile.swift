/// Files that editors make beside the one being edited, and take away again.
///
/// Only asked of files that no target names: one that a target does name is a source like any other.
enum EditorFile {
  /// - Parameter name: The last component of a path.
  static func isTemporary(_ name: Substring) -> Bool {
    // Vim's probe for whether a directory can be written; backups of vim, emacs and nano.
    if name == "4913" || name.hasSuffix("~") { return true }
    // Vim's swap files: .name.swp, .swo, .swx.
    if name.hasPrefix("."), name.dropLast().hasSuffix(".sw") { return true }
    // Emacs's locks and auto-saves; what JetBrains writes before it renames.
    if name.hasPrefix(".#") || (name.hasPrefix("#") && name.hasSuffix("#")) { return true }
    if name.hasSuffix("___jb_tmp___") || name.hasSuffix("___jb_old___") { return true }
    // `sed -i`: sed and six letters or digits.
    return name.utf8.count == 9 && name.hasPrefix("sed")
      && name.dropFirst(3).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
}
