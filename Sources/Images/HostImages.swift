/// Chooses the images of one archive that are meant for this machine.
///
/// A bundle holds several images, each of its own name; a multi-platform image is several of one name,
/// or of none.
enum HostImages {
  struct Candidate: Hashable {
    /// `nil`: it says nothing, and fits any machine.
    var platform: Platform?
    var names: Set<String>
  }

  /// - Returns: Indices of those to load, in their order; none when all are for other machines and
  ///   nothing but the machine tells them apart.
  static func chosen(
    among candidates: [Candidate], host: Platform = .host
  ) -> [Int] {
    if candidates.count < 2 { return Array(candidates.indices) }
    func fits(_ index: Int) -> Bool {
      candidates[index].platform.map { $0.isSameMachine(as: host) } ?? true
    }
    var taken = Set(candidates.indices.filter(fits).flatMap { candidates[$0].names })
    let hasOwn = candidates.indices.contains(where: fits)
    var chosen: [Int] = []
    for index in candidates.indices {
      if fits(index) {
        chosen.append(index)
      } else if !candidates[index].names.isEmpty, taken.isDisjoint(with: candidates[index].names) {
        // Another image, which somebody wants for another machine.
        taken.formUnion(candidates[index].names)
        chosen.append(index)
      } else if !hasOwn, !candidates[index].names.isEmpty {
        // One name for several machines, none of them this one.
        return []
      }
    }
    return chosen
  }
}

extension Platform {
  /// Variants of a processor, such as arm64's v8, don't matter.
  func isSameMachine(as other: Platform) -> Bool {
    os == other.os && architecture == other.architecture
  }
}
