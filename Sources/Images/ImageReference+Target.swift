import Basics
package import Graph

extension ImageReference {
  /// What an image is to be called: as configured, else all tags in the archive, else `NAME:dev`.
  package static func names(
    of image: ImageTarget, in archive: ImageArchive
  ) throws(InvalidReference) -> [ImageReference] {
    if image.reference == nil, !archive.tags.isEmpty { return archive.tags.distinct }
    let text = image.reference ?? "\(image.name.lowercased()):dev"
    guard let reference = ImageReference(text) else { throw InvalidReference(text: text) }
    return [reference]
  }
}

/// A reference that no runtime accepts.
package struct InvalidReference: Error, Hashable, CustomStringConvertible {
  var text: String

  package var description: String {
    "'\(text)' is no valid image reference; set the image's 'ref', such as registry.local/api:dev"
  }
}
