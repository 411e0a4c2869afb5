import Basics
import SystemPackage

extension DiskQuestions {
  /// Answered by the disk as it is now.
  package static let disk = DiskQuestions(
    isPackage: { BuildFileName.marksPackage($0) }, isLink: { SymbolicLink.exists($0) },
    // Source: https://bazel.build/remote/output-directories
    isOutputLink: { SymbolicLink.target(of: $0)?.string.contains("/execroot/") == true })
}
