import Graph
import Images
import Synchronization

/// Keeps which image has which name in the runtimes: two with one name would take it from each other for ever.
final class NameClaims: Sendable {
  /// Another image has the name.
  struct Clash: Error, Hashable, CustomStringConvertible {
    let name: String
    /// Names of the two images.
    let images: [String]

    var description: String {
      "\(images.joined(separator: " and ")) are both called \(name) in the runtime; give one of them another name, "
        + "by its own target or by 'ref' in watchbuild.yaml"
    }
  }

  private let owners = Mutex<[ImageReference: String]>([:])

  /// Takes names for an image and gives up those that it had before.
  ///
  /// - Parameter images: The names of all images there are: others have no claim any more.
  func claim(
    _ references: [ImageReference], for image: String, among images: Set<String>
  ) throws(Clash) {
    let clash = owners.withLock { owners -> Clash? in
      for reference in references {
        if let owner = owners[reference], owner != image, images.contains(owner) {
          return Clash(name: reference.description, images: [owner, image])
        }
      }
      owners = owners.filter { $0.value != image }
      for reference in references { owners[reference] = image }
      return nil
    }
    if let clash { throw clash }
  }

  /// The images that are known to have one name with another before anything is built, each with the reason.
  static func clashes(among images: [ImageTarget]) -> [String: Clash] {
    var owners: [ImageReference: String] = [:]
    var clashes: [String: Clash] = [:]
    for image in images {
      for text in Set(image.expectedNames ?? []).sorted() {
        // What is no name is told when the image is built.
        guard let reference = ImageReference(text) else { continue }
        guard let owner = owners[reference] else {
          owners[reference] = image.name
          continue
        }
        let clash = Clash(name: reference.description, images: [owner, image.name])
        for name in clash.images where clashes[name] == nil { clashes[name] = clash }
      }
    }
    return clashes
  }
}
