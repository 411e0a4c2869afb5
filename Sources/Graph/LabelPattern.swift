/// A label, or a Bazel pattern over labels: `//a/...`, `//a:all`, `//a:*`, `//a:b`.
///
/// Source: https://bazel.build/run/build#specifying-build-targets
package struct LabelPattern: Hashable, Sendable, CustomStringConvertible {
  private enum Form: Hashable {
    case label(Label)
    case package(String, repository: String)
    case below(String, repository: String)
  }

  package let description: String
  private let form: Form

  /// - Returns: `nil` when the text is neither an absolute label nor an absolute pattern.
  package init?(_ text: String) {
    description = text
    if let label = Label(text) {
      form = .label(label)
      return
    }
    var path = text[...]
    for suffix in [":all-targets", ":all", ":*"] where path.hasSuffix(suffix) {
      path = path.dropLast(suffix.count)
    }
    let isRecursive = path.hasSuffix("...")
    if isRecursive {
      path = path.dropLast(3)
      guard path.hasSuffix("/") else { return nil }
      if !path.hasSuffix("//") { path = path.dropLast() }
    }
    guard let slashes = path.firstRange(of: "//") else { return nil }
    let package = String(path[slashes.upperBound...])
    var repository = String(path[..<slashes.lowerBound])
    if repository == "@" || repository == "@@" { repository = "" }
    guard repository.isEmpty || repository.hasPrefix("@"), !package.contains(":"),
      !package.contains("//"),
      !package.hasPrefix("/"), !package.hasSuffix("/"), isRecursive || text.contains(":")
    else { return nil }
    form =
      isRecursive
      ? .below(package, repository: repository) : .package(package, repository: repository)
  }

  /// All of the main repository.
  package static let everything = LabelPattern(below: "")

  private init(below package: String) {
    description = "//\(package)..."
    form = .below(package, repository: "")
  }

  /// The one label that it stands for.
  package var label: Label? {
    if case .label(let label) = form { label } else { nil }
  }

  /// `@ext`, or empty for the main repository.
  package var repository: Substring {
    switch form {
    case .label(let label): label.repository
    case .package(_, let repository), .below(_, let repository): repository[...]
    }
  }

  /// The package's path, or the directory's that the packages are below.
  package var package: Substring {
    switch form {
    case .label(let label): label.package
    case .package(let package, _), .below(let package, _): package[...]
    }
  }

  package var isRecursive: Bool {
    if case .below = form { true } else { false }
  }

  /// The beginning of every label that matches.
  var prefix: String { "\(repository)//\(package)" + (isRecursive ? "" : ":") }

  package func matches(_ label: Label) -> Bool {
    switch form {
    case .label(let own): own == label
    case .package(let package, let repository):
      label.repository == repository && label.package == package
    case .below(let package, let repository):
      label.repository == repository
        && (package.isEmpty || label.package == package || label.package.hasPrefix(package + "/"))
    }
  }
}
