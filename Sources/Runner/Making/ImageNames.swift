import Bazel
import Graph
import Images

/// The names that an image is to have in the runtimes.
struct ImageNames {
  /// Why an image has no name.
  enum Failure: Error, Hashable, CustomStringConvertible {
    case invalid(String, origin: String?)
    case unreadable(String)

    var description: String {
      switch self {
      case .invalid(let text, let origin):
        "'\(text)'\(origin.map { ", which \($0) says," } ?? "") is no valid image reference; set the image's "
          + "'ref', such as registry.local/api:dev"
      case .unreadable(let file):
        "the image's names can't be read from \(file); set its 'ref'"
      }
    }
  }

  /// Each once, in the order in which they were given; at least one.
  let references: [ImageReference]

  /// As configured, else as the target gives them, else `NAME:dev`.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - tags: The file of names and its content, where the target has one.
  ///   - deployManifest: The same of rules_img.
  ///   - archive: The names inside the archive; they count where there is no file of names.
  init(
    of image: ImageTarget, tags: (file: String, text: [UInt8])?,
    deployManifest: (file: String, text: [UInt8])?, archive: [ImageReference]
  ) throws(Failure) {
    var found: [ImageReference] = []
    if !image.references.isEmpty {
      found = try Self.parse(image.references, origin: nil)
    } else if let tags {
      found = try Self.parse(Self.words(tags.text), origin: tags.file)
    } else if let deployManifest {
      guard let manifest = DeployManifest(deployManifest.text) else {
        throw .unreadable(deployManifest.file)
      }
      found = try Self.parse(manifest.names, origin: deployManifest.file)
    } else {
      found = archive
    }
    if found.isEmpty { found = try Self.parse(["\(image.name.lowercased()):dev"], origin: nil) }
    var seen: Set<ImageReference> = []
    references = found.filter { seen.insert($0).inserted }
  }

  private static func words(_ text: [UInt8]) -> [String] {
    String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
  }

  private static func parse(
    _ texts: [String], origin: String?
  ) throws(Failure) -> [ImageReference] {
    var references: [ImageReference] = []
    for text in texts {
      guard let reference = ImageReference(text) else {
        throw .invalid(text, origin: origin)
      }
      references.append(reference)
    }
    return references
  }
}
