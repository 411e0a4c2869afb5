/// The name of an image, such as `registry.local:5000/team/api:dev`.
///
/// Source: https://github.com/distribution/reference (the grammar that Docker uses)
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
  /// As people wrote it, with its tag: `api:dev`, `localhost/api:dev`.
  package let description: String
  /// Without the tag.
  package let name: String
  package let tag: String

  /// - Returns: `nil` when the text is not a valid name with an optional tag; digests are refused.
  package init?(_ text: String) {
    let slash = text.lastIndex(of: "/") ?? text.startIndex
    let colon = text[slash...].lastIndex(of: ":")
    let name = String(text[..<(colon ?? text.endIndex)])
    let tag = colon.map { String(text[text.index(after: $0)...]) } ?? "latest"
    guard Self.isValidName(name), Self.isValidTag(tag) else { return nil }
    self.init(name: name, tag: tag)
  }

  private init(name: String, tag: String) {
    self.name = name
    self.tag = tag
    description = "\(name):\(tag)"
  }

  /// As podman stores a name without a registry: `localhost/team/api:dev`.
  package var local: ImageReference {
    host == nil ? ImageReference(name: "localhost/\(name)", tag: tag) : self
  }

  /// In full, as containerd stores it: `docker.io/library/api:dev`.
  package var normalized: String {
    guard let host else {
      return name.contains("/") ? "docker.io/\(description)" : "docker.io/library/\(description)"
    }
    if host == "docker.io", !path.contains("/") { return "docker.io/library/\(path):\(tag)" }
    return description
  }

  /// The registry that the name begins with, where it names one: `registry.local:5000`.
  package var host: String? {
    let components = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard components.count == 2 else { return nil }
    let isHost =
      components[0].contains(".") || components[0].contains(":") || components[0] == "localhost"
    return isHost ? String(components[0]) : nil
  }

  /// The name without registry and tag: `team/api`.
  package var path: String { host.map { String(name.dropFirst($0.count + 1)) } ?? name }

  private static func isValidName(_ name: String) -> Bool {
    guard !name.isEmpty, name.utf8.count <= 255 else { return false }
    var components = name.split(separator: "/", omittingEmptySubsequences: false)[...]
    if components.count > 1, let first = components.first,
      first.contains(".") || first.contains(":") || first == "localhost"
    {
      let host = first.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let isHost = host[0].split(separator: ".", omittingEmptySubsequences: false)
        .allSatisfy(isValidHostComponent)
      let isPort = host.count == 1 || (!host[1].isEmpty && host[1].utf8.allSatisfy(isDigit))
      guard isHost, isPort else { return false }
      components = components.dropFirst()
    }
    return components.allSatisfy(isValidComponent)
  }

  /// Letters, digits and, between them, `-`.
  private static func isValidHostComponent(_ component: Substring) -> Bool {
    guard let first = component.utf8.first, let last = component.utf8.last else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && component.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D }
  }

  /// Lower-case letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
  private static func isValidComponent(_ component: Substring) -> Bool {
    let bytes = Array(component.utf8)
    guard let first = bytes.first, let last = bytes.last,
      isLowercaseAlphanumeric(first), isLowercaseAlphanumeric(last)
    else { return false }
    for (index, byte) in bytes.enumerated() where !isLowercaseAlphanumeric(byte) {
      switch byte {
      case 0x2D: continue
      case 0x2E: if !isLowercaseAlphanumeric(bytes[index + 1]) { return false }
      case 0x5F:
        let run = bytes[index...].prefix { $0 == 0x5F }.count
        let isStart = bytes[index - 1] != 0x5F
        if isStart, run > 2 || !isLowercaseAlphanumeric(bytes[index + run]) { return false }
      default: return false
      }
    }
    return true
  }

  private static func isValidTag(_ tag: String) -> Bool {
    guard let first = tag.utf8.first, tag.utf8.count <= 128 else { return false }
    return (isAlphanumeric(first) || first == 0x5F)
      && tag.utf8.allSatisfy { isAlphanumeric($0) || [0x5F, 0x2E, 0x2D].contains($0) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x7A).contains(byte)
  }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLowercaseAlphanumeric(byte) || (0x41...0x5A).contains(byte)
  }
}
