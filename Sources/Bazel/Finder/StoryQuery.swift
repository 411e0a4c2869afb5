import Graph

/// The one query that tells which images there are, and what each is made of.
enum StoryQuery {
  /// The attributes of rules that are asked for beside class, inputs and outputs.
  static let attributes = [
    "actual", "base", "content", "image", "image_targets", "images", "layers", "manifests",
    "output_group", "registry", "repo_tags", "repository", "srcs", "tag", "tag_file", "tag_list",
    "tags",
    "tar_output",
  ]

  /// So many aliases, filegroups and images may stand one behind the other.
  private static let depth = 4

  /// - Parameters:
  ///   - labels: Targets to be told of, whatever they are.
  ///   - patterns: Where images are looked for.
  static func text(labels: [Label], patterns: [LabelPattern]) -> String {
    let words = labels.map { QueryWord.quoted($0.description) }
    let named = words.isEmpty ? [] : ["set(\(words.joined(separator: " ")))"]
    var text = "let v0 = \((named + patterns.map(search)).joined(separator: " union "))"
    for step in 0..<depth { text += " in let v\(step + 1) = \(following("$v\(step)"))" }
    return text + " in $v\(depth)"
  }

  /// Rules of the known classes, and those that somebody tagged for us.
  private static func search(_ pattern: LabelPattern) -> String {
    let classes = ImageRuleKind.imageClasses.joined(separator: "|")
    let place = QueryWord.quoted(pattern.description)
    return
      #"kind("^(\#(classes)) rule$", \#(place)) union attr("tags", "\bwatchbuild\b", \#(place))"#
  }

  /// The question, and the rules that it stands on: no more than labels of attributes, so that the answer stays small.
  private static func following(_ variable: String) -> String {
    let attributes = [
      "actual", "image", "images", "manifests", "base", "image_targets", "repo_tags",
    ]
    let followed = attributes.map { "labels(\"\($0)\", \(variable))" }
    return ([variable] + followed + ["labels(\"srcs\", kind(\"filegroup rule$\", \(variable)))"])
      .joined(separator: " union ")
  }
}
