package import Images

/// The change that somebody else made to the name of an image that we loaded.
package enum ImageLoss: Hashable, Sendable {
  /// The name stands for nothing any more, or for an image that is not whole.
  case removed
  /// The name stands for another image.
  case replaced
}

/// The way to notice that somebody else removes images.
package enum LossNotice: Hashable, Sendable {
  /// Not at all.
  case never
  /// By looking now and then.
  case looks
  /// By the runtime's events, each of which is a reason to look.
  case events
}

/// An image of ours that another hand took away from a runtime.
package struct LostImage: Hashable, Sendable, CustomStringConvertible {
  /// As the configuration calls it.
  package var image: String
  package var reference: ImageReference
  package var runtime: String
  package var loss: ImageLoss
  /// The number of times before, in a short time.
  package var repetitions: Int

  package var description: String {
    let what =
      switch loss {
      case .removed: "\(reference) was removed from \(runtime) by another hand"
      case .replaced: "\(reference) was given to another image in \(runtime) by another hand"
      }
    return repetitions == 0
      ? "\(what); it is loaded again"
      : "\(what), again; it is loaded again, ever more rarely (does something else use that name?)"
  }
}
