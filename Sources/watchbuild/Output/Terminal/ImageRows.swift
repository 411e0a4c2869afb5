import Runner

/// The list of a run's images, for the key `i`.
enum ImageRows {
  static func rows(_ snapshot: LoopState.Snapshot) -> [StyledText] {
    guard !snapshot.images.isEmpty else { return [StyledText("no images are known yet")] }
    let width = min(snapshot.images.map { TextColumns.count($0.name) }.max() ?? 0, 40)
    return snapshot.images.map { image in
      let sign = image.owed == nil ? StyledText("✓ ", .success) : StyledText("◌ ", .warning)
      let names = image.references.isEmpty ? "" : "  " + image.references.joined(separator: ", ")
      let owed = image.owed.map { " — " + OwedText.text($0) } ?? ""
      return sign + StyledText(image.name).padded(to: width)
        + StyledText("  \(image.target)\(names)\(owed)")
    }
  }
}
