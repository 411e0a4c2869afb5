import Basics
import FoundationEssentials
import SystemPackage

/// Where the dashboard of this workspace was served last, kept for our own user alone.
struct RememberedPlace: Codable {
  private static let file = "dashboard.json"

  var port: Int
  var token: String

  /// - Returns: `nil` where nothing is kept that can be trusted and read; then all is chosen anew.
  static func read(from directory: PrivateDirectory) -> RememberedPlace? {
    guard let bytes = try? directory.openExisting()?.read(file, limit: 4096),
      let place = try? JSONDecoder().decode(RememberedPlace.self, from: Data(bytes)),
      (1...65_535).contains(place.port)
    else { return nil }
    return place
  }

  /// What can't be written is missing next time, and hurts nothing else.
  func write(to directory: PrivateDirectory) {
    try? directory.open().replace(Self.file, with: JSON.encode(self))
  }
}
