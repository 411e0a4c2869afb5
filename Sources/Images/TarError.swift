package import SystemPackage

/// Why a tar can't be read.
package enum TarError: Error, Hashable, Sendable {
  case unreadable(Errno)
  /// The first block is no tar header.
  case notTar
  /// The first bytes are those of a compressed file, such as `gzip`.
  case compressed(String)
  /// A header with a wrong checksum or an unreadable number, at this offset in bytes.
  case damagedHeader(offset: Int64)
  /// The file ends within this member, or within a header (`nil`).
  case truncated(member: String?)
  /// A name or extended header longer than we are willing to hold.
  case oversizedHeader(offset: Int64, size: Int64)
  case sparse(member: String)
  case tooManyMembers(limit: Int)
}
