import Basics

/// Sums up the configuration's images in a few words.
package enum ConfigurationSummary {
  package static func text(_ entries: [ImageEntry]) -> String {
    guard !entries.isEmpty else { return "no images; they are found by query" }
    var images = 0
    var queries = 0
    for entry in entries {
      switch entry {
      case .target: images += 1
      case .query: queries += 1
      }
    }
    let counted = [
      images > 0 ? Quantity.text(images, "image") : nil,
      queries > 0 ? Quantity.text(queries, "query", plural: "queries") : nil,
    ]
    return counted.compactMap(\.self).joined(separator: ", ")
  }
}
