extension Event {
  /// Which images there are has changed.
  package struct ImagesChanged: EventFields {
    package static let type = "images"

    package struct Image: Sendable, Encodable {
      /// As configured, or the name of its package.
      package var name: String
      /// Its label.
      package var target: String

      package init(name: String, target: String) {
        self.name = name
        self.target = target
      }
    }

    /// Images that are new.
    package var added: [Image]
    /// Images that are gone.
    package var removed: [Image]

    package init(added: [Image], removed: [Image]) {
      self.added = added
      self.removed = removed
    }
  }
}
