package import Batching

extension DiskQuestions {
  /// Answered by the disk as it is now.
  package static let disk = DiskQuestions(
    isPackage: { PackageDirectory.exists($0) }, isLink: { SymbolicLink.exists($0) })
}
