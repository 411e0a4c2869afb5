extension Event {
  /// Bazel has discarded its analysis cache.
  package struct CacheDiscarded: EventFields {
    package static let type = "cacheDiscarded"

    /// The option that differs; `server` where the server was started anew.
    package var option: String
    /// Bazel's own words.
    package var message: String
    /// The command that had other options, where it can be told.
    package var cause: String?

    package init(option: String, message: String, cause: String? = nil) {
      self.option = option
      self.message = message
      self.cause = cause
    }
  }
}
