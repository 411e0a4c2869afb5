package import SystemPackage

/// Runs `body` with an empty directory, which is then removed with all that is in it.
@discardableResult
package func withScratchDirectory<Value>(
  _ body: (FilePath) async throws -> Value
) async throws -> Value {
  let path = try TemporaryDirectory.make()
  defer { TemporaryDirectory.remove(path) }
  return try await body(path)
}
