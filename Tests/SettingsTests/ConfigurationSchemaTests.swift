import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings

struct ConfigurationSchemaTests {
  private let schema: JSONSchema

  init() throws { schema = JSONSchema(root: try JSONValue.parse(ConfigurationSchema.text.utf8)) }

  /// Why the reader refuses a configuration; `nil`: it does not.
  private func refusal(of text: String) -> String? {
    do {
      _ = try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func `what the schema admits is read`() {
    for seed in 1...120 as ClosedRange<UInt64> {
      var generated = GeneratedConfiguration(schema.root, seed: seed)
      let value = generated.value()
      #expect(schema.errors(in: value) == [], "\(seed)")
      #expect(refusal(of: value.json) == nil, "\(seed): \(value.json)")
    }
  }

  @Test func `schema and reader refuse the same mistakes`() {
    var refused = 0
    for seed in 1...400 as ClosedRange<UInt64> {
      var generated = GeneratedConfiguration(schema.root, seed: seed)
      let value = generated.changed(generated.value())
      let errors = schema.errors(in: value)
      let refusal = refusal(of: value.json)
      #expect(errors.isEmpty == (refusal == nil), "\(seed): \(value.json): \(errors)")
      if refusal != nil { refused += 1 }
    }
    #expect(refused > 200)
  }

  @Test func `a profile may say all that the rest may, but for profiles`() {
    var rest = schema.root["properties"]?.fields ?? [:]
    rest["profiles"] = nil
    #expect(schema.root["$defs"]?["profile"]?["properties"]?.fields == rest)
  }
}
