package import Images

/// The rule that decides which of the images that we loaded may go.
package struct PruneRule: Hashable, Sendable {
  /// So many superseded images of each name stay.
  package var keep: Int
  /// An image stays until it has been superseded for so long.
  package var olderThan: Duration

  package init(keep: Int = 2, olderThan: Duration = .seconds(6 * 3600)) {
    self.keep = keep
    self.olderThan = olderThan
  }

  /// The images that the rule gives up in one runtime, and those that it keeps.
  struct Verdict: Hashable {
    var superseded: [SupersededImage] = []
    var kept: Set<Digest> = []
  }

  /// - Parameters:
  ///   - entries: The loads into one runtime, in their order.
  ///   - now: In seconds since 1970.
  func verdict(on entries: [Ledger.Entry], now: Int64) -> Verdict {
    var verdict = Verdict()
    let all: Set<Digest> = Set(entries.compactMap { entry in Digest(entry.id) })
    // What any name of ours stands for now.
    var current: [String: String] = [:]
    for entry in entries { current[entry.reference] = entry.id }
    var doomed: [Digest: SupersededImage] = [:]
    var saved: Set<Digest> = Set(current.values.compactMap { text in Digest(text) })
    for reference in current.keys {
      let loads = entries.filter { $0.reference == reference }
      var seen: Set<String> = [current[reference] ?? ""]
      var count = 0
      // From the newest back; an image was superseded when the next was loaded.
      for index in loads.indices.reversed().dropFirst() where seen.insert(loads[index].id).inserted
      {
        guard let id = Digest(loads[index].id), let name = ImageReference(reference) else {
          continue
        }
        count += 1
        let supersededFor: Int64 = max(0, now - loads[index + 1].time)
        let age = Duration.seconds(supersededFor)
        if count <= keep || age < olderThan {
          saved.insert(id)
        } else {
          let others = entries.filter { $0.id == id.description && $0.reference != reference }
          doomed[id] = SupersededImage(
            id: id, reference: name,
            otherReferences: Set(others.compactMap { ImageReference($0.reference) }))
        }
      }
    }
    let given: [SupersededImage] = doomed.values.filter { image in !saved.contains(image.id) }
    verdict.superseded = given.sorted { left, right in left.id < right.id }
    verdict.kept = all.subtracting(verdict.superseded.map(\.id))
    return verdict
  }
}

/// An image of ours whose name stands for another now.
package struct SupersededImage: Hashable, Sendable {
  package let id: Digest
  /// Its former name.
  package let reference: ImageReference
  /// Its other names.
  package var otherReferences: Set<ImageReference> = []
}

/// The fate of an image that was to be removed.
package enum Removal: Hashable, Sendable {
  /// With a dry run: it would have been.
  case removed
  case absent
  /// It stays, and why.
  case kept(String)
}

/// Removes what a rule gives up, wherever we loaded it.
package struct Pruning: Sendable {
  package struct Outcome: Hashable, Sendable {
    package let runtime: String
    package let image: SupersededImage
    package let removal: Removal
  }

  private let rule: PruneRule
  private let ledger: Ledger

  package init(_ rule: PruneRule, ledger: Ledger) {
    self.rule = rule
    self.ledger = ledger
  }

  /// The runtimes of which the ledger knows.
  package func runtimes() async throws -> [String] {
    Set(try await ledger.entries().map(\.runtime)).sorted()
  }

  /// - Parameter isDryRun: Nothing is removed, and the answer is what would be.
  /// - Throws: `RuntimeError` when the runtime does not answer; `Errno` of the ledger.
  package func run(in runtime: any ImageRuntime, isDryRun: Bool = false) async throws -> [Outcome] {
    let verdict = try await verdict(on: runtime)
    var outcomes: [Outcome] = []
    for image in verdict.superseded {
      let removal: Removal?
      if isDryRun {
        removal = try await remove(image, from: runtime, by: verdict, isDryRun: true)
      } else {
        removal = try await ledger.lane(of: runtime.name).alone {
          // A load may have brought it back while this waited for its turn.
          let verdict = try await self.verdict(on: runtime)
          return try await remove(image, from: runtime, by: verdict, isDryRun: false)
        }
      }
      guard let removal else { continue }
      outcomes.append(Outcome(runtime: runtime.name, image: image, removal: removal))
    }
    if !isDryRun { try await ledger.compact() }
    return outcomes
  }

  private func verdict(on runtime: any ImageRuntime) async throws -> PruneRule.Verdict {
    let entries = try await ledger.entries().filter { $0.runtime == runtime.name }
    return rule.verdict(on: entries, now: ledger.seconds)
  }

  /// - Returns: `nil` when it is not superseded any more.
  private func remove(
    _ image: SupersededImage, from runtime: any ImageRuntime, by verdict: PruneRule.Verdict,
    isDryRun: Bool
  ) async throws -> Removal? {
    guard verdict.superseded.contains(where: { $0.id == image.id }) else { return nil }
    let removal = try await runtime.remove(
      image, keeping: verdict.kept.union(Self.after(image, in: verdict)), isDryRun: isDryRun)
    switch removal {
    case .kept: break
    case .removed, .absent:
      guard !isDryRun else { break }
      try await ledger.append([
        Ledger.Entry(
          runtime: runtime.name, reference: image.reference.description, id: image.id.description,
          time: ledger.seconds, isRemoved: true)
      ])
    }
    return removal
  }

  /// Those whose turn comes later are still whole until then.
  private static func after(_ image: SupersededImage, in verdict: PruneRule.Verdict) -> Set<Digest>
  {
    Set(verdict.superseded.drop { $0.id != image.id }.dropFirst().map(\.id))
  }
}
