import Images
import Synchronization

extension Ctr {
  /// One image of an import.
  struct Import: Sendable {
    /// All temporary names begin so; no person uses it.
    static let prefix = "docker.io/watchbuild/loading:"

    /// Under which it comes in, and which is gone afterwards.
    let temporaryName: String
    /// All that it is to be called.
    let names: [String]
    let image: LayoutImage

    init(_ load: LayoutLoad) {
      // No two imports use one.
      let number = Self.state.withLock { state in
        state.count += 1
        return state.count
      }
      temporaryName = Self.prefix + TemporaryName(number: number).text
      names = load.names
      image = load.image
    }

    private struct State {
      var count = 0
      /// The temporary names of imports of this process that are under way.
      var names: Set<String> = []
    }
    private static let state = Mutex(State())

    /// While `body` runs, nobody of this process takes the temporary names back but `body`.
    static func holding<Value>(
      _ imports: [Import], _ body: () async throws -> Value
    ) async rethrows -> Value {
      state.withLock { $0.names.formUnion(imports.map(\.temporaryName)) }
      defer { state.withLock { $0.names.subtract(imports.map(\.temporaryName)) } }
      return try await body()
    }

    /// Tells whether nobody is bringing an image in under this temporary name any more.
    static func isAbandoned(_ temporaryName: String) -> Bool {
      guard let name = TemporaryName(temporaryName.dropFirst(prefix.count)) else { return false }
      if name.isOurs { return !state.withLock { $0.names.contains(temporaryName) } }
      return name.isAbandoned()
    }
  }
}
