import Basics
import Glibc
package import Graph
package import SystemPackage

/// Takes away what was made from files that Bazel may have half seen, so that it makes it again.
///
/// Removing an output makes Bazel run its action whatever it has recorded. Touching it does not: the content counts.
/// Tried with Bazel 4.2.3 and 7.7.1.
package struct HalfSeenOutputs {
  /// `…/execroot/NAME/bazel-out`.
  private let outputs: FilePath

  private let workspace: FilePath

  /// - Parameters:
  ///   - executionRoot: Bazel's, as its build events tell it.
  ///   - workspace: Where the packages of the main repository lie.
  package init(executionRoot: FilePath, workspace: FilePath) {
    outputs = executionRoot.appending("bazel-out")
    self.workspace = workspace
  }

  /// Removes the outputs of packages, in every configuration.
  ///
  /// A query does not tell what a Starlark rule writes, but every output lies in the directory of its package.
  ///
  /// - Parameter packages: By repository and path. Packages below them are left alone, unless they are among them.
  /// - Returns: How many files were removed.
  package func remove(_ packages: Set<SourceLinks.Place>) -> Int {
    var count = 0
    DirectoryEntries.forEach(in: outputs) { name, kind in
      guard kind == .directory else { return }
      let configuration = outputs.appending(String(cString: name))
      for tree in ["bin", "genfiles"] {
        for package in packages {
          count += empty(
            configuration.appending(tree).pushing(Self.directory(of: package)), package)
        }
      }
    }
    return count
  }

  private static func directory(of package: SourceLinks.Place) -> FilePath {
    guard !package.repository.isEmpty else { return FilePath(package.path) }
    let repository = String(package.repository.drop { $0 == "@" })
    return FilePath("external").appending(repository).pushing(FilePath(package.path))
  }

  private func empty(_ directory: FilePath, _ place: SourceLinks.Place) -> Int {
    var count = 0
    var below: [(FilePath, SourceLinks.Place)] = []
    DirectoryEntries.forEach(in: directory) { name, kind in
      let name = String(cString: name)
      let path = directory.appending(name)
      guard kind == .directory else {
        // An action that has no output to make again is no worse for it.
        if path.withPlatformString({ unlink($0) }) == 0 { count += 1 }
        return
      }
      var inner = place
      inner.path = place.path.isEmpty ? name : "\(place.path)/\(name)"
      // A tree of links to what a program needs: there is no content in it.
      if !name.hasSuffix(".runfiles"), !isOthers(inner) { below.append((path, inner)) }
    }
    for (path, inner) in below { count += empty(path, inner) }
    return count
  }

  /// Tells whether what lies below a directory of the main repository is made by others: a package of its own, or other
  /// repositories.
  private func isOthers(_ place: SourceLinks.Place) -> Bool {
    place.repository.isEmpty
      && (place.path == "external"
        || BuildFileName.marksPackage(workspace.pushing(FilePath(place.path))))
  }
}
