package import Graph

extension ImageReference {
  /// What an image is to be called: as configured, else the tag in the archive, else `NAME:dev`.
  package init(of image: ImageTarget, in archive: ImageArchive) throws(InvalidReference) {
    if let text = image.reference {
      guard let reference = ImageReference(text) else { throw InvalidReference(text: text) }
      self = reference
    } else if let tag = archive.tags.first {
      self = tag
    } else {
      let text = "\(image.name.lowercased()):dev"
      guard let reference = ImageReference(text) else { throw InvalidReference(text: text) }
      self = reference
    }
  }
}

/// A reference that no runtime accepts.
package struct InvalidReference: Error, Hashable, CustomStringConvertible {
  var text: String

  package var description: String {
    "'\(text)' is no valid image reference; set the image's 'ref', such as registry.local/api:dev"
  }
}
