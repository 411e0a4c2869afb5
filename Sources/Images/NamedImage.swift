import Basics

/// An image of an archive with all names that it is to have.
package struct NamedImage: Sendable {
  package var archive: ImageArchive
  package var references: [ImageReference]
}

extension NamedImage {
  /// Why the images of a target can't get the names that they should.
  package enum Failure: Error, Hashable, CustomStringConvertible {
    /// One name was configured, and there are several images.
    case severalImages(Int)
    /// More than one image of an archive has no name.
    case nameless(Int)
    case sameName(ImageReference)

    package var description: String {
      switch self {
      case .severalImages(let count):
        "the target makes \(count) images, and 'ref' names one; take it away to load each by its own name, "
          + "or name a target that makes one image"
      case .nameless(let count):
        "the target makes \(count) images that have no name of their own; give each its tag"
      case .sameName(let name):
        "the target makes two images that are both called \(name); give each a name of its own"
      }
    }
  }

  /// The images of a target, each with its names.
  ///
  /// - Parameters:
  ///   - archives: At least one.
  ///   - owner: How people call the target, for what is told.
  ///   - isConfigured: The names are those that the user gave, whatever the archive says.
  ///   - names: What one image is to be called; at least one name.
  /// - Returns: The images, and what is to be told of names that can't be used.
  /// - Throws: `Failure`; what `names` throws.
  package static func all(
    _ archives: [ImageArchive], of owner: String, isConfigured: Bool,
    names: (ImageArchive) throws -> [ImageReference]
  ) throws -> (images: [NamedImage], notices: [String]) {
    if archives.count > 1 {
      if isConfigured { throw Failure.severalImages(archives.count) }
      let nameless = archives.count { $0.tags.isEmpty }
      if nameless > 1 { throw Failure.nameless(nameless) }
    }
    var images: [NamedImage] = []
    var notices: [String] = []
    var taken: Set<ImageReference> = []
    for archive in archives {
      let references = try names(archive).distinct
      for reference in references where !taken.insert(reference).inserted {
        throw Failure.sameName(reference)
      }
      images.append(NamedImage(archive: archive, references: references))
      if isConfigured { continue }
      notices += archive.unusableNames.map { name in
        "\(owner): the name '\(name)' in the image can't be used (names are in lower case); "
          + "it is loaded as \(references.map(\.description).joined(separator: ", "))"
      }
    }
    return (images, notices)
  }
}
