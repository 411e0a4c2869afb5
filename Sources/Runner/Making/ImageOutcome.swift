import Bazel
import Graph
import SystemPackage

/// The result of a build for one image, all that is made for it taken together.
enum ImageOutcome: Hashable {
  /// The outputs of each target, by output group.
  case built([Label: [String: [FilePath]]])
  case failed(message: String, causes: [Label])
  case incompatible(message: String)
  case skipped(reason: String)

  /// All files that were made.
  var files: [FilePath] {
    guard case .built(let outputs) = self else { return [] }
    return outputs.values.flatMap { $0.values.joined() }
  }
}

/// Waits for all that is made for the images of one build: an image is complete when the last of its targets is.
struct ImageAssembly {
  private struct Part {
    let image: ImageTarget
    let targets: Set<Label>
  }

  private var open: [Part]
  private var built: [Label: [String: [FilePath]]] = [:]

  init(_ images: [PlannedImage]) {
    open = images.map { Part(image: $0.image, targets: Set($0.way.products.map(\.label))) }
  }

  /// Images that have not come to anything yet.
  var unsettled: [ImageTarget] { open.map(\.image) }

  /// Takes the outcome of a target.
  ///
  /// - Returns: The images that this settles.
  mutating func add(
    _ label: Label, _ outcome: TargetOutcome
  ) -> [(image: ImageTarget, outcome: ImageOutcome)] {
    if case .built(let outputs) = outcome { built[label] = outputs }
    var settled: [(ImageTarget, ImageOutcome)] = []
    var rest: [Part] = []
    for part in open {
      if part.targets.contains(label), let outcome = self.outcome(of: part, outcome) {
        settled.append((part.image, outcome))
      } else {
        rest.append(part)
      }
    }
    open = rest
    return settled
  }

  private func outcome(of part: Part, _ latest: TargetOutcome) -> ImageOutcome? {
    switch latest {
    case .built:
      let outputs = built.filter { part.targets.contains($0.key) }
      return outputs.count == part.targets.count ? .built(outputs) : nil
    case .failed(let message, let causes): return .failed(message: message, causes: causes)
    case .incompatible(let message): return .incompatible(message: message)
    case .skipped(let reason): return .skipped(reason: reason)
    }
  }
}
