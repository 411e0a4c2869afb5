import Graph

/// Names an image when the configuration does not.
enum ImageName {
  /// The last part of the package's path; in the root package, the target's name.
  static func short(for label: Label) -> String {
    let package = label.package
    guard let slash = package.lastIndex(of: "/") else {
      return String(package.isEmpty ? label.name : package)
    }
    return String(package[package.index(after: slash)...])
  }

  /// Names for images that were found, not configured.
  ///
  /// Each gets its short name where only one has it and no other image is called so; else the
  /// package's path; and where a package has several images, the path, `/`, and the target's name.
  /// So `//shop/api:image` and `//admin/api:image` are `shop/api` and `admin/api`.
  static func unique(for labels: [Label], taken: Set<String> = []) -> [Label: String] {
    var names: [Label: String] = [:]
    var pending = Array(Set(labels)).sorted()
    var taken = taken
    for candidate in [short, package, full] {
      let groups = Dictionary(grouping: pending, by: candidate)
      for (name, labels) in groups where labels.count == 1 && !taken.contains(name) {
        names[labels[0]] = name
      }
      // Only now: a name that two would have had belongs to neither, whatever their order.
      taken.formUnion(groups.keys)
      pending = pending.filter { names[$0] == nil }
    }
    for label in pending { names[label] = label.description }
    return names
  }

  private static func package(_ label: Label) -> String {
    let repository = label.repository.drop { $0 == "@" }
    let path = [repository, label.package].filter { !$0.isEmpty }.joined(separator: "/")
    return path.isEmpty ? String(label.name) : path
  }

  private static func full(_ label: Label) -> String { "\(package(label))/\(label.name)" }
}
