/// Numbers as people read them.
package enum Quantity {
  package static func text(_ count: Int, _ singular: String, plural: String? = nil) -> String {
    "\(count) " + (count == 1 ? singular : plural ?? singular + "s")
  }

  /// The first six names, and how many more there are.
  package static func list(_ names: [String]) -> String {
    let more = names.count > 6 ? " and \(names.count - 6) more" : ""
    return names.prefix(6).joined(separator: ", ") + more
  }

  /// Seconds with one decimal, two below a tenth: `1.2s`, `0.04s`.
  package static func seconds(_ milliseconds: Int) -> String {
    let milliseconds = max(0, milliseconds)
    if milliseconds < 95 {
      let hundredths = (milliseconds + 5) / 10
      return hundredths < 10 ? "0.0\(hundredths)s" : "0.1s"
    }
    let tenths = (milliseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10)s"
  }

  /// Powers of 1000, as docker shows them: `812 B`, `3.1 MB`.
  package static func bytes(_ count: Int64) -> String {
    guard count >= 1000 else { return "\(count) B" }
    var tenths = count / 100
    for unit in ["kB", "MB", "GB"] {
      if tenths < 10_000 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
      tenths /= 1000
    }
    return "\(tenths / 10).\(tenths % 10) TB"
  }
}
