import Basics
import NIOCore

extension EngineClient {
  struct Container: Decodable {
    enum CodingKeys: String, CodingKey { case names = "Names", state = "State", labels = "Labels" }
    var names: [String]?
    /// Such as `running` and `exited`.
    var state: String?
    var labels: [String: String]?

    var name: String { (names?.first).map { String($0.trimmingPrefix("/")) } ?? "a container" }
  }

  /// The containers that a filter leaves, those that have ended among them.
  ///
  /// - Parameters:
  ///   - filter: Such as `label` and `ancestor`.
  ///   - value: Has no quotes in it.
  /// - Throws: `RuntimeError`; `CancellationError`.
  func containers(_ filter: String, _ value: String) async throws -> [Container] {
    let filters = #"{"\#(filter)":["\#(value)"]}"#.percentEncoded
    return try await get(
      [Container].self, "/containers/json?all=true&filters=\(filters)", limit: .seconds(60),
      orMissing: false) ?? []
  }
}
