import Basics
import Graph
import Images

/// The step that has what runs an image run the new one.
extension DeliveryQueue {
  /// - Returns: Whether the image is where it is to be.
  func roll(_ entry: Entry, by rollout: any Rollout) async -> Bool {
    let image = entry.delivery.image
    let rolled = RolledImage(
      name: image.name, references: entry.delivery.references,
      configDigest: entry.delivery.archive.configDigest,
      manifestDigest: entry.delivery.archive.manifest?.digest, loaded: entry.loaded)
    let start = clock.now
    record.rolling(image, by: rollout)
    do {
      let archive = entry.delivery.archive
      let ended = try await entry.ticket.run { try await rollout.roll(rolled, from: archive) }
      guard let result = ended else {
        record.cancelledRollout(
          image, by: rollout, because: "it has changed again, and is built anew")
        return false
      }
      record.rolledOut(
        image, rolled, result, by: rollout, ms: start.duration(to: clock.now).milliseconds)
      return true
    } catch is CancellationError {
      record.cancelledRollout(image, by: rollout, because: "interrupted while it was rolled out")
    } catch {
      record.failedRollout(
        image, error, by: rollout, ms: start.duration(to: clock.now).milliseconds)
    }
    return false
  }
}
