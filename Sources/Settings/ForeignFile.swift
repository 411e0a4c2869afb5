package import Basics
package import SystemPackage

/// A file of another tool, from which `init` takes over the images that Bazel builds.
package protocol ForeignFile {
  /// The file's usual name, for messages.
  static var name: String { get }
  var images: [InitialConfiguration.Image] { get }
  /// Parts that are not taken over, each with its reason or its line.
  var left: [String] { get }

  /// - Throws: `Problem` when it is no such file, or Bazel builds nothing in it.
  init(_ text: String, file: String) throws(Problem)
}

extension ForeignFile {
  /// - Throws: `Problem` when it can't be read, and as `init(_:file:)`.
  package static func read(_ path: FilePath) throws(Problem) -> Self {
    let bytes: [UInt8]
    do {
      bytes = try Disk.read(path, limit: 1 << 20)
    } catch {
      throw Problem("can't read \(path): \(error)", hint: "pass an existing \(name) to --from")
    }
    return try Self(String(decoding: bytes, as: UTF8.self), file: path.string)
  }

  /// The last part of an image's path, with a number where another image has it.
  func unusedName(for image: String) -> String {
    let last = image.split(separator: "/").last.map(String.init) ?? image
    let name = String(last.prefix { $0 != ":" && $0 != "@" })
    let taken = Set(images.map(\.name))
    guard taken.contains(name) else { return name }
    return (2...).lazy.map { "\(name)-\($0)" }.first { !taken.contains($0) } ?? name
  }
}
