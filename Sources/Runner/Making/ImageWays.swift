import Graph
import Synchronization

/// By which of its ways each image is made: the best, until that has turned out to be of no use here.
///
/// Kept for the run, since what was of no use once would be so in the next cycle, too.
final class ImageWays: Sendable {
  /// Why a way is of no use.
  enum Trouble: Hashable, CustomStringConvertible {
    /// There is no layout, or it can't be read.
    case unreadable(String)
    /// The image stands on a base whose layers rules_img has not fetched.
    case shallow

    var description: String {
      switch self {
      case .unreadable(let reason): reason
      case .shallow: "rules_img has not fetched the layers of its base"
      }
    }
  }

  private struct Choice {
    let source: ImageSource
    var index: Int
  }

  private let choices = Mutex<[String: Choice]>([:])

  /// The way to take now.
  func way(of image: ImageTarget) -> ImageSource.Way {
    image.source.ways[index(of: image)]
  }

  /// Takes another way from now on.
  ///
  /// - Returns: The way; `nil` where there is no other that could be of use.
  func next(of image: ImageTarget, after trouble: Trouble) -> ImageSource.Way? {
    let ways = image.source.ways
    let index = index(of: image)
    let isOfUse: (ImageSource.Way) -> Bool = { way in
      if trouble == .shallow { return way.form == .sparseLayout }
      // What the layout of a shallow base lacks its tar would lack, too.
      return way.form == .archive && ways[index].form != .sparseLayout
    }
    guard let next = ways.indices.first(where: { $0 > index && isOfUse(ways[$0]) }) else {
      return nil
    }
    choices.withLock { $0[image.name] = Choice(source: image.source, index: next) }
    return ways[next]
  }

  private func index(of image: ImageTarget) -> Int {
    choices.withLock { choices in
      // Another source begins with its own best way.
      guard let choice = choices[image.name], choice.source == image.source else { return 0 }
      return choice.index
    }
  }
}

/// An image, and the way in which a build is to make it.
struct PlannedImage: Hashable {
  let image: ImageTarget
  let way: ImageSource.Way
}

extension [PlannedImage] {
  /// Parts that can each be asked for in one build.
  ///
  /// Output groups are asked for of all targets of a build at once, so an image that must not be asked for one is built
  /// apart from those that need it.
  var compatible: [Self] {
    var parts: [(images: Self, asked: Set<String>, avoided: Set<String>)] = []
    for planned in self {
      let way = planned.way
      let fitting = parts.firstIndex {
        $0.asked.isDisjoint(with: way.avoidedGroups)
          && $0.avoided.isDisjoint(with: way.outputGroups)
      }
      if let fitting {
        parts[fitting].images.append(planned)
        parts[fitting].asked.formUnion(way.outputGroups)
        parts[fitting].avoided.formUnion(way.avoidedGroups)
      } else {
        parts.append(([planned], way.outputGroups, way.avoidedGroups))
      }
    }
    return parts.map(\.images)
  }
}
