package import Graph
package import SystemPackage

/// Which of a target's outputs is the image.
package enum BuiltImage {
  /// Why a target's outputs can't be loaded.
  package enum Failure: Error, CustomStringConvertible {
    case noImage(Label, outputs: [FilePath])
    case noOutputGroup(Label, group: String, groups: [String])
    case severalImages(Label, [FilePath])

    package var description: String {
      switch self {
      case .noImage(let label, let outputs):
        let names = outputs.prefix(4).compactMap(\.lastComponent).map(\.string)
        let made =
          outputs.isEmpty
          ? "no output at all"
          : names.joined(separator: ", ") + (outputs.count > 4 ? ", …" : "")
        return "target \(label) has no image among its outputs (\(made)); "
          + "name the rule that makes the tar, such as \(label).tar, or its 'outputGroup'"
      case .noOutputGroup(let label, let group, let groups):
        return "target \(label) has no output group '\(group)'; it has "
          + (groups.isEmpty ? "none" : groups.joined(separator: ", "))
      case .severalImages(let label, let tars):
        let names = tars.prefix(4).compactMap(\.lastComponent).map(\.string)
        return "target \(label) makes several tars (\(names.joined(separator: ", "))); "
          + "name the label of the one to load, or its 'outputGroup'"
      }
    }
  }

  /// - Parameters:
  ///   - image: Whose outputs they are.
  ///   - outputs: Absolute paths by output group.
  /// - Returns: A tar, or the directory of an OCI image layout.
  package static func path(
    of image: ImageTarget, among outputs: [String: [FilePath]]
  ) throws(Failure)
    -> FilePath
  {
    let files: [FilePath]
    if let group = image.outputGroup {
      guard let found = outputs[group] else {
        throw .noOutputGroup(image.label, group: group, groups: outputs.keys.sorted())
      }
      files = found
    } else {
      // Known loader rules put a script among the default outputs and the tar into this group.
      files = outputs["tarball"].flatMap { $0.isEmpty ? nil : $0 } ?? outputs["default"] ?? []
    }
    let tars = files.filter { file in
      let name = file.lastComponent?.string ?? ""
      return [".tar", ".tar.gz", ".tgz"].contains(where: name.hasSuffix)
    }
    if tars.count > 1 { throw .severalImages(image.label, tars) }
    if let tar = tars.first { return tar }
    if let marker = files.first(where: { $0.lastComponent == "oci-layout" }) {
      return marker.removingLastComponent()
    }
    // A directory is one output in some versions of Bazel, and its files in others.
    let directories = files.filter { $0.extension == nil }
    if directories.count == 1, files.count == 1 { return files[0] }
    throw .noImage(image.label, outputs: files)
  }
}
