/// A reference that no runtime accepts.
struct InvalidReference: Error, Hashable, CustomStringConvertible {
  var text: String

  var description: String {
    "'\(text)' is no valid image reference; set the image's 'ref', such as registry.local/api:dev"
  }
}
